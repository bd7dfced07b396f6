"""Every address of the application."""

from django.contrib.auth import views as auth_views
from django.urls import path
from django.views.i18n import set_language

from configurator.views import (
    accounts,
    asking,
    audit,
    bulk,
    entries,
    history,
    imports,
    lists,
    overview,
    publish,
    replacing,
    site,
    suggestions,
)

urlpatterns = [
    path("", overview.home_page, name="home"),
    path("overview/", overview.overview_page, name="overview"),
    path("favicon.ico", site.favicon, name="favicon"),
    path("login/", accounts.LoginPage.as_view(), name="login"),
    path("session/", accounts.session_state, name="session"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("password-lost/", accounts.PasswordLostPage.as_view(), name="password_lost"),
    path("password-lost/sent/", accounts.PasswordLostSentPage.as_view(), name="password_lost_sent"),
    path("password-new/<uidb64>/<token>/", accounts.PasswordNewPage.as_view(), name="password_new"),
    path(
        "password-new/done/",
        auth_views.PasswordResetCompleteView.as_view(template_name="configurator/password_new_done.html"),
        name="password_new_done",
    ),
    path("language/", set_language, name="set_language"),
    path("account/", accounts.account_page, name="account"),
    path("account/password/", accounts.PasswordChangePage.as_view(), name="password_change"),
    path("account/second-factor/", accounts.second_factor_page, name="second_factor"),
    path("account/appearance/", accounts.switch_appearance, name="appearance"),
    path("audit/", audit.audit_page, name="audit"),
    path("publish/", publish.publish_page, name="publish"),
    path("publish/now/", publish.publish_entries, name="publish_now"),
    path("publish/status/", publish.publish_status, name="publish_status"),
    path("publish/badge/", publish.unpublished_badge, name="publish_badge"),
    path("publish/ask/", asking.ask_for_publication, name="ask_for_publication"),
    path("publish/ask/take-back/", asking.take_back, name="take_back"),
    path("publish/ask/<int:pk>/put-away/", asking.put_away, name="put_away"),
    path("publish/compare/", publish.compare_publications, name="publish_compare"),
    path("publish/export/", publish.export_entries, name="export"),
    path("publish/import/", imports.import_page, name="import"),
    path("publish/import/progress/<slug:job_key>/", imports.import_progress, name="import_progress"),
    path("publish/import/template/<slug:kind>/", imports.import_template, name="import_template"),
    path("publish/foreign/", replacing.take_foreign, name="take_foreign"),
    path("publish/snapshots/", replacing.snapshots_page, name="snapshots"),
    path("publish/snapshots/<int:pk>/undo/", replacing.undo_to, name="undo"),
    path("publish/<int:pk>/roll-back/", publish.roll_back, name="roll_back"),
    path("publish/<int:pk>/take/", replacing.take_publication, name="take"),
    path("publish/<int:pk>/download/", publish.download_publication, name="download"),
    path("services/preview/<int:number>/", entries.trigger_preview_part, name="preview"),
    path("suggestions/pick/<slug:kind>/", suggestions.pick_entries, name="pick"),
    path("suggestions/seats/", suggestions.suggest_seats, name="suggest_seats"),
    path("<slug:key>/many/<slug:action_key>/", bulk.change_many, name="change_many"),
    path("<slug:key>/", lists.section_list, name="list"),
    path("<slug:key>/csv/", lists.section_csv, name="csv"),
    path("<slug:key>/add/", entries.add_entry, name="add"),
    path("<slug:key>/<int:pk>/edit/", entries.edit_entry, name="edit"),
    path("<slug:key>/<int:pk>/history/", history.entry_history, name="history"),
    path("<slug:key>/<int:pk>/remove/", entries.remove_entry, name="remove"),
]
handler400 = "configurator.views.site.bad_request"
handler500 = "configurator.views.site.server_error"
