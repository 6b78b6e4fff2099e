
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analyses', '0011_webhooks'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='analysis',
            name='analysis_queue',
        ),
        migrations.AddIndex(
            model_name='analysis',
            index=models.Index(fields=['state', '-created_at', '-uuid', 'owner', 'verdict', 'name_key'], name='analysis_of_all_by_date'),
        ),
        migrations.AddIndex(
            model_name='analysis',
            index=models.Index(fields=['state', '-score_key', '-uuid', 'owner', 'verdict', 'name_key'], name='analysis_of_all_by_score'),
        ),
        migrations.AddIndex(
            model_name='analysis',
            index=models.Index(fields=['state', 'name_key', 'uuid', 'owner', 'verdict'], name='analysis_of_all_by_name'),
        ),
        migrations.AddIndex(
            model_name='analysis',
            index=models.Index(fields=['owner', 'state'], name='analysis_unfinished'),
        ),
        migrations.AddIndex(
            model_name='analysis',
            index=models.Index(fields=['owner', 'model_name'], name='analysis_models'),
        ),
        migrations.AddIndex(
            model_name='analysis',
            index=models.Index(fields=['started_at'], name='analysis_started'),
        ),
        migrations.AddIndex(
            model_name='analysis',
            index=models.Index(fields=['finished_at'], name='analysis_finished'),
        ),
        migrations.AddIndex(
            model_name='video',
            index=models.Index(fields=['owner', 'size_bytes', 'file'], name='video_stored'),
        ),
        migrations.AddIndex(
            model_name='video',
            index=models.Index(fields=['created_at'], name='video_by_date'),
        ),
        migrations.AddIndex(
            model_name='video',
            index=models.Index(condition=models.Q(('proxy_due', True)), fields=['proxy_due'], name='video_awaits_copy'),
        ),
    ]
