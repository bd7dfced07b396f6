"""Every address of the application."""

from django.contrib.auth import views as auth_views
from django.urls import path
from django.views.i18n import set_language

from configurator import audit_views, entry_views, import_views, list_views, login_views, publish_views

urlpatterns = [
    path("", login_views.home, name="home"),
    path("favicon.ico", login_views.favicon, name="favicon"),
    path("login/", login_views.Login.as_view(), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("password-lost/", login_views.PasswordLost.as_view(), name="password_lost"),
    path(
        "password-lost/sent/",
        auth_views.PasswordResetDoneView.as_view(template_name="configurator/password_lost_sent.html"),
        name="password_lost_sent",
    ),
    path("password-new/<uidb64>/<token>/", login_views.PasswordNew.as_view(), name="password_new"),
    path(
        "password-new/done/",
        auth_views.PasswordResetCompleteView.as_view(template_name="configurator/password_new_done.html"),
        name="password_new_done",
    ),
    path("language/", set_language, name="set_language"),
    path("account/", login_views.account, name="account"),
    path("account/password/", login_views.PasswordChange.as_view(), name="password_change"),
    path("account/appearance/", login_views.appearance, name="appearance"),
    path("audit/", audit_views.page, name="audit"),
    path("publish/", publish_views.page, name="publish"),
    path("publish/now/", publish_views.publish, name="publish_now"),
    path("publish/status/", publish_views.status, name="publish_status"),
    path("publish/badge/", publish_views.badge, name="publish_badge"),
    path("publish/compare/", publish_views.compare, name="publish_compare"),
    path("publish/export/", publish_views.export, name="export"),
    path("publish/import/", import_views.page, name="import"),
    path("publish/<int:pk>/roll-back/", publish_views.roll_back, name="roll_back"),
    path("publish/<int:pk>/take/", publish_views.take, name="take"),
    path("publish/<int:pk>/download/", publish_views.download, name="download"),
    path("services/preview/<int:number>/", entry_views.preview_trigger, name="preview"),
    path("<slug:key>/", list_views.listing, name="list"),
    path("<slug:key>/add/", entry_views.add, name="add"),
    path("<slug:key>/<int:pk>/edit/", entry_views.edit, name="edit"),
    path("<slug:key>/<int:pk>/remove/", entry_views.remove, name="remove"),
]
handler400 = "configurator.login_views.bad_request"
