"""Requests for a publication."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("configurator", "0006_snapshot")]

    operations = [
        migrations.CreateModel(
            name="PublicationRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("userid", models.CharField(db_index=True, max_length=150)),
                ("note", models.CharField(blank=True, max_length=500)),
                ("count", models.PositiveIntegerField(default=0)),
                ("changes", models.JSONField(default=list)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "waits for an administrator"),
                            ("done", "carried out"),
                            ("put-away", "put away"),
                            ("taken-back", "taken back"),
                        ],
                        db_index=True,
                        default="open",
                        max_length=12,
                    ),
                ),
                ("answered", models.DateTimeField(null=True)),
                ("answered_by", models.CharField(blank=True, max_length=150)),
                ("answer", models.CharField(blank=True, max_length=200)),
            ],
            options={"ordering": ["-pk"]},
        )
    ]
