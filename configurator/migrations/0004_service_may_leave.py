from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("configurator", "0003_operator_scram")]

    operations = [
        migrations.AddField(
            model_name="service",
            name="may_leave",
            field=models.BooleanField(
                default=False,
                help_text="They leave it and join it again in their window. Who logs in is in.",
                verbose_name="Operators may leave the queue",
            ),
        )
    ]
