"""States of the entries from before imports and other large changes."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("configurator", "0005_seat_answer")]

    operations = [
        migrations.CreateModel(
            name="Snapshot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("userid", models.CharField(max_length=150)),
                ("name", models.CharField(max_length=200)),
                ("content", models.BinaryField()),
            ],
            options={"ordering": ["-pk"]},
        )
    ]
