from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("configurator", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="trigger",
            name="again",
            field=models.BooleanField(
                default=False,
                help_text=(
                    "Each time that a queue rings the phone for the same caller. "
                    "Otherwise once a minute at most."
                ),
                verbose_name="At each ring",
            ),
        )
    ]
