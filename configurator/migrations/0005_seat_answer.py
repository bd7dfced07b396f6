from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("configurator", "0004_service_may_leave")]

    operations = [
        migrations.AddField(
            model_name="seat",
            name="answer",
            field=models.CharField(
                choices=[("none", "no"), ("notify", "by NOTIFY")],
                default="none",
                help_text="Only if the phone is set to answer on a NOTIFY with Event: talk.",
                max_length=16,
                verbose_name="Answer in the window",
            ),
        )
    ]
