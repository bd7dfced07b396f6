"""Every address of the application."""

from django.contrib.auth import views as auth_views
from django.urls import path
from django.views.i18n import set_language

from configurator.views import accounts, audit, entries, imports, lists, publish

urlpatterns = [
    path("", accounts.home, name="home"),
    path("favicon.ico", accounts.favicon, name="favicon"),
    path("login/", accounts.Login.as_view(), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("password-lost/", accounts.PasswordLost.as_view(), name="password_lost"),
    path(
        "password-lost/sent/",
        auth_views.PasswordResetDoneView.as_view(template_name="configurator/password_lost_sent.html"),
        name="password_lost_sent",
    ),
    path("password-new/<uidb64>/<token>/", accounts.PasswordNew.as_view(), name="password_new"),
    path(
        "password-new/done/",
        auth_views.PasswordResetCompleteView.as_view(template_name="configurator/password_new_done.html"),
        name="password_new_done",
    ),
    path("language/", set_language, name="set_language"),
    path("account/", accounts.account, name="account"),
    path("account/password/", accounts.PasswordChange.as_view(), name="password_change"),
    path("account/appearance/", accounts.appearance, name="appearance"),
    path("audit/", audit.page, name="audit"),
    path("publish/", publish.page, name="publish"),
    path("publish/now/", publish.publish, name="publish_now"),
    path("publish/status/", publish.status, name="publish_status"),
    path("publish/badge/", publish.badge, name="publish_badge"),
    path("publish/compare/", publish.compare, name="publish_compare"),
    path("publish/export/", publish.export, name="export"),
    path("publish/import/", imports.page, name="import"),
    path("publish/<int:pk>/roll-back/", publish.roll_back, name="roll_back"),
    path("publish/<int:pk>/take/", publish.take, name="take"),
    path("publish/<int:pk>/download/", publish.download, name="download"),
    path("services/preview/<int:number>/", entries.preview_trigger, name="preview"),
    path("<slug:key>/", lists.listing, name="list"),
    path("<slug:key>/add/", entries.add, name="add"),
    path("<slug:key>/<int:pk>/edit/", entries.edit, name="edit"),
    path("<slug:key>/<int:pk>/remove/", entries.remove, name="remove"),
]
handler400 = "configurator.views.accounts.bad_request"
