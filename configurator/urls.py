"""Every address of the application."""

from django.contrib.auth import views as auth_views
from django.urls import path
from django.views.i18n import set_language

from configurator.views import (
    accounts,
    audit,
    bulk,
    entries,
    history,
    imports,
    lists,
    publish,
    replacing,
    sign_on,
    site,
    suggestions,
)

urlpatterns = [
    path("", site.home_page, name="home"),
    path("favicon.ico", site.favicon, name="favicon"),
    path("login/", accounts.LoginPage.as_view(), name="login"),
    path("session/", accounts.session_state, name="session"),
    path("logout/", sign_on.LogOutPage.as_view(), name="logout"),
    path("sign-on/", sign_on.begin, name="sign_on"),
    path("sign-on/callback/", sign_on.come_back, name="sign_on_callback"),
    path("sign-on/connect/", sign_on.connect_page, name="sign_on_connect"),
    path("sign-on/done/", sign_on.done_page, name="sign_on_done"),
    path("logged-out/", sign_on.logged_out_page, name="logged_out"),
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
