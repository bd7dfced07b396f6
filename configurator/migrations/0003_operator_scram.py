from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("configurator", "0002_trigger_again")]

    operations = [
        migrations.AddField(
            model_name="operator",
            name="scram",
            field=models.CharField(blank=True, default="", editable=False, max_length=400),
        )
    ]
