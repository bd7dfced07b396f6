"""The tables of both files: the CTI configuration, and the people who manage it (see database/routers.py).

What can be edited carries `revision`: it grows with every change, and a form that was opened on an older
one is refused.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from configurator import validators
from schemas.passwords import StoredForms


class Editable(models.Model):
    """Anything with a form of its own."""

    revision = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        abstract = True

    def raise_revision(self) -> None:
        """Let forms that were opened before be refused, once this is saved."""
        self.revision += 1


class Service(Editable):
    """A dialplan context, and a queue where it has one, that the server watches."""

    class Type(models.TextChoices):
        INBOUND = "inbound", _("Inbound")
        OUTBOUND = "outbound", _("Outbound")

    name = models.CharField(_("Name"), max_length=200, validators=[validators.validate_name])
    context = models.CharField(
        _("Context"),
        max_length=200,
        validators=[validators.validate_dialplan_word],
        help_text=_("The context of the dialplan that calls of this service enter."),
    )
    type = models.CharField(_("Type"), max_length=8, choices=Type.choices, default=Type.INBOUND)
    is_queue = models.BooleanField(_("Calls wait in a queue"), default=False)
    queue_name = models.CharField(
        _("Queue"),
        max_length=200,
        blank=True,
        validators=[validators.validate_dialplan_word],
        help_text=_("Operators become members of this queue when they log in."),
    )
    may_leave = models.BooleanField(
        _("Operators may leave the queue"),
        default=False,
        help_text=_("They leave it and join it again in their window. Who logs in is in."),
    )
    enabled = models.BooleanField(_("Enabled"), default=True)

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")

    def __str__(self) -> str:
        return self.name

    @property
    def queue(self) -> str:
        """The queue's name, empty for a service without one."""
        return self.queue_name if self.is_queue else ""


class Variable(Editable):
    """A dialplan variable whose value is carried to the client."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="variables", verbose_name=_("Service"))
    name = models.CharField(
        _("Name"),
        max_length=200,
        validators=[validators.validate_variable],
        help_text=_("As the dialplan sets it, without leading underscores."),
    )

    class Meta:
        verbose_name = _("variable")
        verbose_name_plural = _("variables")

    def __str__(self) -> str:
        return self.name


class Trigger(models.Model):
    """What a client does for a call of a service."""

    class Type(models.TextChoices):
        BROWSER = "browser", _("System browser")
        INTERNAL = "internal-browser", _("Client's own window")
        APPLICATION = "application", _("Application")

    class Moment(models.TextChoices):
        RING = "ring", _("When it rings")
        ANSWER = "answer", _("When it is answered")
        HANGUP = "hangup", _("When it ends")

    class System(models.TextChoices):
        ANY = "any", _("Any system")
        WINDOWS = "windows", "Windows"
        LINUX = "linux", "Linux"
        MACOS = "macos", "macOS"

    service = models.ForeignKey(Service, models.CASCADE, related_name="triggers")
    position = models.PositiveIntegerField(default=0)
    type = models.CharField(_("Opens"), max_length=16, choices=Type.choices, default=Type.BROWSER)
    moment = models.CharField(_("Moment"), max_length=8, choices=Moment.choices, default=Moment.ANSWER)
    os = models.CharField(_("On"), max_length=8, choices=System.choices, default=System.ANY)
    application = models.CharField(_("Program"), max_length=4096, blank=True)
    parameters = models.TextField(_("Parameters"), max_length=4096, blank=True)
    url = models.CharField(_("Address (URL)"), max_length=4096, blank=True)
    again = models.BooleanField(
        _("At each ring"),
        default=False,
        help_text=_(
            "Each time that a queue rings the phone for the same caller. Otherwise once a minute at most."
        ),
    )

    class Meta:
        ordering: ClassVar = ["position", "pk"]


class Seat(Editable):
    """A PC known by its MAC address, paired with a phone."""

    class AnswerWay(models.TextChoices):
        """How the phone is told to answer."""

        NONE = "none", _("no")
        NOTIFY = "notify", _("by NOTIFY")

    mac = models.CharField(
        _("MAC address"),
        max_length=17,
        unique=True,
        validators=[validators.validate_mac],
        help_text=_("Of the PC's network card, such as 00:11:22:33:44:55."),
    )
    extension = models.CharField(
        _("Extension"),
        max_length=200,
        unique=True,
        validators=[validators.validate_extension],
        help_text=_("The phone as Asterisk's device, such as PJSIP/201."),
    )
    queue_interface = models.CharField(
        _("Queue interface"),
        max_length=200,
        blank=True,
        validators=[validators.validate_interface],
        help_text=_("Only if the queue member is not the extension itself, such as Local/201@agents/n."),
    )
    state_interface = models.CharField(
        _("State interface"),
        max_length=200,
        blank=True,
        validators=[validators.validate_state_interface],
        help_text=_("Only if another device tells whether the member is free, such as hint:201@phones."),
    )
    address = models.CharField(
        _("IP address"),
        max_length=45,
        blank=True,
        validators=[validators.validate_address],
        help_text=_("The only address this seat may connect from; empty for any."),
    )
    description = models.CharField(
        _("Description"), max_length=4096, blank=True, validators=[validators.validate_text]
    )
    answer = models.CharField(
        _("Answer in the window"),
        max_length=16,
        choices=AnswerWay.choices,
        default=AnswerWay.NONE,
        help_text=_("Only if the phone is set to answer on a NOTIFY with Event: talk."),
    )

    class Meta:
        verbose_name = _("seat")
        verbose_name_plural = _("seats")

    def __str__(self) -> str:
        return f"{self.extension} ({self.mac})"


class Operator(Editable):
    """A person who logs in at a seat."""

    username = models.CharField(
        _("User name"),
        max_length=200,
        unique=True,
        validators=[validators.validate_word],
        help_text=_("The name to log in with, without blanks."),
    )
    full_name = models.CharField(_("Full name"), max_length=200, validators=[validators.validate_name])
    password = models.CharField(_("Password"), max_length=400)
    scram = models.CharField(max_length=400, blank=True, default="", editable=False)
    """Keys of the same password for logging in by SCRAM; empty where there are none."""
    seat = models.ForeignKey(
        Seat,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="operators",
        verbose_name=_("Seat"),
        help_text=_("The only seat this operator may use; empty for any."),
    )
    begin_in_pause = models.BooleanField(_("Begin in pause"), default=False)
    enabled = models.BooleanField(_("Enabled"), default=True)

    class Meta:
        verbose_name = _("operator")
        verbose_name_plural = _("operators")

    def __str__(self) -> str:
        return self.username

    def store_password(self, forms: StoredForms) -> None:
        """Set both forms of one password: keys of another one would still log in. Saved by the caller."""
        self.password, self.scram = forms


class ServiceOperator(models.Model):
    """An operator bound to a service."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="bindings")
    operator = models.ForeignKey(
        Operator, models.CASCADE, related_name="bindings", verbose_name=_("Operator")
    )
    penalty = models.PositiveIntegerField(_("Penalty"), default=0)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["service", "operator"], name="bound_once")]


class PauseReason(Editable):
    """Why an operator may be in pause."""

    name = models.CharField(_("Name"), max_length=200, unique=True, validators=[validators.validate_reason])

    class Meta:
        verbose_name = _("pause reason")
        verbose_name_plural = _("pause reasons")

    def __str__(self) -> str:
        return self.name


class Publication(models.Model):
    """A configuration that was given to the server, with its content: files may be gone, this stays."""

    file = models.CharField(max_length=120, unique=True)
    form = models.CharField(max_length=8)
    created = models.DateTimeField(default=timezone.now)
    userid = models.CharField(max_length=150)
    comment = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64)
    content = models.TextField()
    """The configuration as XML, whatever the published form was."""

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name = _("publication")

    def __str__(self) -> str:
        return self.file


class PublicationRequest(models.Model):
    """Somebody who may not publish all of it asks those who may."""

    class State(models.TextChoices):
        OPEN = "open", _("waits for an administrator")
        DONE = "done", _("carried out")
        PUT_AWAY = "put-away", _("put away")
        TAKEN_BACK = "taken-back", _("taken back")

    at = models.DateTimeField(default=timezone.now)
    userid = models.CharField(max_length=150, db_index=True)
    note = models.CharField(max_length=500, blank=True)
    count = models.PositiveIntegerField(default=0)
    """How many entries were not published when it was asked."""
    changes = models.JSONField(default=list)
    """The first of them: a list of [kind, name, what], as `differences` calls them."""
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN, db_index=True)
    answered = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=150, blank=True)
    answer = models.CharField(max_length=200, blank=True)
    """The published file, or why it was put away."""

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.userid} #{self.pk}"

    def close(self, state: State, by: str, answer: str) -> None:
        """Store what became of it. Within `working_copy.writing`, which it was read in while it was open."""
        self.state, self.answered = state, timezone.now()
        self.answered_by, self.answer = by[:150], answer[:200]
        self.save()


class Snapshot(models.Model):
    """All entries as they were before a large change, so that it can be undone."""

    at = models.DateTimeField(default=timezone.now)
    userid = models.CharField(max_length=150)
    name = models.CharField(max_length=200)
    """What was about to happen."""
    content = models.BinaryField()
    """The tables' rows; see `publishing/snapshots.py`."""

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.at):%Y-%m-%d %H:%M:%S} {self.name}"


class ManagerUsers(BaseUserManager["ManagerUser"]):
    """Finds and makes manager users."""

    def make(self, userid: str, password: str, **fields: Any) -> ManagerUser:
        """Store a new user with a plain password."""
        user = self.model(userid=userid, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class ManagerUser(AbstractBaseUser):
    """Somebody who manages the configuration here."""

    class Role(models.TextChoices):
        ADMINISTRATOR = "administrator", _("Administrator")
        SUPERVISOR = "supervisor", _("Supervisor")
        VIEWER = "viewer", _("Viewer")

    class Language(models.TextChoices):
        BROWSER = "", _("As the browser says")
        ENGLISH = "en", "English"
        ITALIAN = "it", "Italiano"

    class Theme(models.TextChoices):
        SYSTEM = "", _("As the system says")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    revision = models.PositiveIntegerField(default=1, editable=False)
    userid = models.CharField(
        _("User id"), max_length=150, unique=True, validators=[validators.validate_word]
    )
    full_name = models.CharField(_("Full name"), max_length=200, validators=[validators.validate_name])
    email = models.EmailField(_("E-mail"), blank=True, help_text=_("For a link when the password is lost."))
    role = models.CharField(_("Role"), max_length=16, choices=Role.choices, default=Role.VIEWER)
    enabled = models.BooleanField(_("Enabled"), default=True)
    created = models.DateTimeField(_("Created"), default=timezone.now, editable=False)
    language = models.CharField(_("Language"), max_length=2, choices=Language.choices, blank=True, default="")
    theme = models.CharField(_("Appearance"), max_length=5, choices=Theme.choices, blank=True, default="")

    objects: ClassVar = ManagerUsers()
    USERNAME_FIELD = "userid"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["full_name"]

    class Meta:
        verbose_name = _("manager user")
        verbose_name_plural = _("manager users")

    def __str__(self) -> str:
        return self.userid

    def raise_revision(self) -> None:
        """Let forms that were opened before be refused, once this is saved."""
        self.revision += 1

    @property
    def is_active(self) -> bool:
        """What Django's own forms ask."""
        return self.enabled

    def is_last_administrator(self) -> bool:
        """Tell whether nobody else could administrate."""
        administrators = ManagerUser.objects.filter(role=ManagerUser.Role.ADMINISTRATOR, enabled=True)
        return not administrators.exclude(pk=self.pk).exists()


class OpenIdIdentity(models.Model):
    """An account of an OpenID Connect provider that logs in as a manager user."""

    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    """Whom the issuer means by it is the same person for ever; names and addresses are not."""
    user = models.ForeignKey(ManagerUser, models.CASCADE, related_name="openid_identities")
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="one_user_an_identity")
        ]


class AuditEntry(models.Model):
    """Who did what, when. Never changed, never removed by the application."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    userid = models.CharField(max_length=150, db_index=True)
    address = models.CharField(max_length=45, blank=True)
    action = models.CharField(max_length=24, db_index=True)
    kind = models.CharField(max_length=24, blank=True, db_index=True)
    name = models.CharField(max_length=300, blank=True)
    details = models.JSONField(default=list)
    """What changed: a list of [field, before, after]; no password is in it."""

    class Meta:
        ordering: ClassVar = ["-pk"]


class LoginFailure(models.Model):
    """A failed login, for throttling. Old ones are removed."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    userid = models.CharField(max_length=150, db_index=True)
    address = models.CharField(max_length=45, db_index=True)
