// What the pages do in the browser: dialogs, the list's keyboard, rows of forms, light and dark. No other host.
"use strict";

const dialog = document.getElementById("dialog");
const dialogBody = document.getElementById("dialog-body");
const find = (selector, within = document) => within.querySelector(selector);
const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];
let entered = false; // something was typed into the open form
let returnTo = null; // the row's number that gets the focus back
let returnAt = -1; // where that row stood, for the one that takes its place after a removal

/* --- dialogs --- */
/* One at a time: what a second click brings would take the place of what is typed by then. */
function openDialog(address, verb = "GET", values = {}) {
  if (dialog.matches(".htmx-request")) return;
  entered = false;
  htmx.ajax(verb, address, { source: dialog, target: "#dialog-body", swap: "innerHTML", values });
}

/* Ask in a dialog of our own; `agree` names what is agreed to. Resolves to true or false. */
function ask(text, agree) {
  const question = document.getElementById("question");
  find("#question-text").textContent = text;
  find("button[value=yes]", question).textContent = agree;
  question.returnValue = "";
  question.showModal();
  find("button[value=yes]", question).focus();
  return new Promise((answer) => {
    question.addEventListener("close", () => answer(question.returnValue === "yes"), { once: true });
  });
}

function closeDialog(force) {
  if (!force && entered) {
    ask(document.body.dataset.discard, document.body.dataset.discardYes).then((agreed) => { if (agreed) closeDialog(true); });
    return;
  }
  entered = false;
  dialog.close();
  dialogBody.replaceChildren();
  const row = returnTo && find(`tr[data-pk="${returnTo}"]`);
  if (row) select(row, true);
}

/* `place` is the dialog's body, or the page where a form is a page of its own. */
function prepareForm(place) {
  if (place === dialogBody && !dialog.open) dialog.showModal();
  findAll("input[name$=-DELETE]:checked", place).forEach((tick) => { tick.closest("[data-row]").hidden = true; });
  findAll("[data-rows]", place).forEach(countRows);
  const broken = find(".has-error", place);
  const panel = broken && broken.closest("[role=tabpanel]");
  showTab(panel ? panel.id : "panel-general");
  findAll("[role=tab]", place).forEach((tab) =>
    tab.classList.toggle("has-errors", Boolean(find(`#${tab.getAttribute("aria-controls")} .has-error, #${tab.getAttribute("aria-controls")} p.error`, place))));
  showVariableChips();
  showQueue();
  const first = find(".has-error input, .has-error select, .has-error textarea", place)
    || find("[autofocus]", place)
    || find(".dialog-main input:not([type=hidden]):not(:disabled), .dialog-main select:not(:disabled)", place)
    || find(".dialog-foot button", place);
  if (first) first.focus();
}

document.addEventListener("htmx:afterSwap", (event) => {
  const place = event.detail.target;
  if (place.matches(".form-place")) {
    keepPasswords(place);
    prepareForm(place);
    const cameBack = place !== dialogBody && event.detail.requestConfig.verb === "post";
    if (cameBack) findAll("form.entry", place).forEach((form) => changedForms.add(form)); // nothing of it is saved
  }
  if (event.detail.target.id === "login-body") showLogin();
  showInForce();
  if (event.detail.target.id === "rows") {
    showSelection();
    if (document.activeElement === document.body && entries().length) entries()[0].focus();
  }
});
if (dialog) {
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); closeDialog(false); });
  // Beside the form; the second half of a double click was meant for what the first one opened.
  dialog.addEventListener("mousedown", (event) => { if (event.target === dialog && event.detail < 2) closeDialog(false); });
  dialog.addEventListener("input", (event) => { if (!event.target.matches("[data-not-entered], [data-penalty], [data-tick]")) entered = true; });
}
document.body.addEventListener("entrySaved", (event) => {
  toast(event.detail.message, false, event.detail.undo);
  changedForms.clear();
  const removed = !event.detail.pk && !event.detail.many;
  const place = returnAt;
  returnTo = event.detail.pk || null;
  closeDialog(true);
  returnAt = removed ? place : -1;
  // A form that is a page of its own is done with: saved again it would be in its own way.
  if (!find("#rows, #overview")) window.location.assign(`/${window.location.pathname.split("/")[1]}/`);
  reload();
});
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 401) needLogin(event.detail);
  else if ([500, 503, 507].includes(event.detail.xhr.status) && event.detail.xhr.getResponseHeader("HX-Trigger")) return; // said already
  else toast(document.body.dataset[event.detail.xhr.status === 403 ? "forbidden" : "failed"], true);
});
document.body.addEventListener("trouble", (event) => toast(event.detail.message, true));
document.addEventListener("htmx:sendError", () => toast(document.body.dataset.failed, true));

function reload() {
  const rows = document.getElementById("rows");
  if (rows) htmx.ajax("GET", window.location.pathname + window.location.search, { target: "#rows", swap: "innerHTML" });
}

/* What went wrong stays longer, and what can be undone: `undo` is an address for that, and what it is called. */
function toast(message, bad = false, undo = null) {
  const box = document.createElement("div");
  box.className = bad ? "toast bad" : "toast";
  box.textContent = message;
  if (undo) box.append(" ", Object.assign(document.createElement("a"), { href: undo.address, textContent: undo.label }));
  document.getElementById("toasts").append(box);
  const leave = () => { if (box.matches(":focus-within, :hover")) setTimeout(leave, 5000); else box.remove(); };
  setTimeout(leave, undo || bad ? 20000 : 5000);
}

/* --- a session that ended: log in in a dialog on the spot, then do again what was refused --- */
let refused = []; // what to do again after the login

function needLogin(detail) {
  const { verb, path, parameters, elt, headers, triggeringEvent } = detail.requestConfig;
  if (detail.target && detail.target.id === "login-body") return loadLogin(); // its own token was too old
  if (headers["X-Repeated"] || elt.dataset.repeated) {
    delete elt.dataset.repeated;
    return toast(document.body.dataset.failed, true);
  }
  askForLogin(() => {
    if (!elt.isConnected) return;
    if (elt.matches("form")) {
      elt.dataset.repeated = "yes";
      elt.addEventListener("htmx:afterRequest", () => { delete elt.dataset.repeated; }, { once: true });
      return elt.requestSubmit(triggeringEvent && triggeringEvent.submitter);
    }
    const context = { values: parameters, headers: { "X-Repeated": "yes" }, source: elt };
    if (!elt.matches("[hx-get], [hx-post]")) Object.assign(context, { target: detail.target, swap: detail.target === document.body ? "none" : "innerHTML" });
    htmx.ajax(verb.toUpperCase(), path, context);
  });
}

function askForLogin(again) {
  refused.push(again);
  if (refused.length === 1) loadLogin();
}

function loadLogin() {
  htmx.ajax("GET", `${document.body.dataset.login}?userid=${encodeURIComponent(document.body.dataset.userid)}${document.body.dataset.signedOn ? "&signed-on=yes" : ""}`, { target: "#login-body", swap: "innerHTML" });
}

const login = document.getElementById("login");
function showLogin() {
  if (!login.open) login.showModal();
  find("[name=password], [data-sign-on]", login).focus();
}
function endLogin() {
  refused = [];
  login.close();
  document.getElementById("login-body").replaceChildren();
}
if (login) login.addEventListener("cancel", (event) => { event.preventDefault(); endLogin(); });
/* With an account of a provider one logs in in a window of its own: this page goes on when that is done. */
function lookForSession() {
  if (!login || !login.open || !find("[data-sign-on]", login)) return;
  fetch(document.body.dataset.session, { headers: { "HX-Request": "true" } })
    .then((answer) => { if (answer.ok) loadLogin(); })
    .catch(() => {}); // the next look may find it
}
new BroadcastChannel("astcti-signed-on").addEventListener("message", lookForSession);
window.addEventListener("focus", lookForSession);
document.body.addEventListener("loggedIn", (event) => {
  const { userid, token } = event.detail;
  const again = refused;
  endLogin();
  if (userid !== document.body.dataset.userid) {
    ask(document.body.dataset.otherUser, document.body.dataset.otherUserYes).then((agreed) => { if (agreed) window.location.reload(); });
    return;
  }
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
  findAll("input[name=csrfmiddlewaretoken]").forEach((field) => { field.value = token; });
  again.forEach((repeat) => repeat());
});

/* A form that is sent as a page would be lost with the session: ask for it first. */
async function sendForm(form, button) {
  const lost = [...changedForms].some((one) => one !== form && one.isConnected);
  if ((lost || entered) && !(await ask(document.body.dataset.discard, document.body.dataset.discardYes))) return;
  const send = () => {
    form.dataset.sent = "yes";
    changedForms.clear();
    entered = false;
    if (button && button.name) form.append(hidden(button));
    form.submit();
  };
  if (form.closest(".who")) return send(); // logging out
  form.dataset.sent = "asking";
  fetch(document.body.dataset.session, { headers: { "HX-Request": "true" } })
    .then((answer) => { delete form.dataset.sent; if (answer.status === 401) askForLogin(send); else send(); })
    .catch(() => { delete form.dataset.sent; toast(document.body.dataset.failed, true); });
}
function hidden(button) {
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = button.name;
  field.value = button.value;
  return field;
}

/* --- nothing that was typed goes without a question --- */
const changedForms = new Set(); // of the page itself, or with something typed
document.addEventListener("input", (event) => {
  const form = event.target.closest("main form[method=post]:not([enctype])");
  if (form && !event.target.matches("[data-not-entered], [data-penalty], [data-tick]")) changedForms.add(form);
});
window.addEventListener("beforeunload", (event) => { if (entered || [...changedForms].some((form) => form.isConnected)) event.preventDefault(); });
/* What was changed without typing, by a button. */
function noteChange(place) {
  const form = place.closest("main form");
  if (form) changedForms.add(form); else entered = true;
}
/* Something else is to take the form's place in the dialog, such as its history. */
document.addEventListener("htmx:confirm", (event) => {
  if (!entered || event.detail.verb !== "get" || event.detail.target !== dialogBody) return;
  event.preventDefault();
  ask(document.body.dataset.discard, document.body.dataset.discardYes).then((agreed) => {
    if (!agreed) return;
    entered = false;
    event.detail.issueRequest(true);
  });
});
/* A second click while the first is on its way. */
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[hx-post].htmx-request")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

/* A password is in no page that the server sends; what was typed stays when a form comes back. */
let typedPasswords = {};
document.addEventListener("htmx:beforeSwap", (event) => {
  typedPasswords = {};
  const place = event.detail.target;
  // Typed while it was on its way, so nobody was asked.
  if (place === dialogBody && entered && event.detail.requestConfig.verb === "get") event.detail.shouldSwap = false;
  if (place.matches(".form-place") && event.detail.requestConfig.verb === "post")
    findAll("input[type=password]", place).forEach((field) => { typedPasswords[field.name] = field.value; });
});
function keepPasswords(place) {
  findAll("input[type=password]", place).forEach((field) => { if (!field.value && typedPasswords[field.name]) field.value = typedPasswords[field.name]; });
}

/* --- the list: one row has the focus, any number are chosen --- */
const entries = () => findAll("#rows tr[data-pk]");
const selected = () => find("#rows tr[tabindex='0'][aria-selected=true]") || find("#rows tr[aria-selected=true]");
const chosen = () => findAll("#rows tr[aria-selected=true]");
const chosenBar = document.getElementById("chosen");
let anchor = null; // the row's number from which Shift reaches
let allFound = false; // what the search finds is chosen, on every page
let ticking = false; // a tick was set: even one row is worth the bar

function select(row, focus) {
  ticking = false;
  choose(row ? [row] : [], row);
  anchor = row ? row.dataset.pk : null;
  if (row && focus) row.focus();
}

/* Choose exactly these rows; `row` gets the place in the order of tabs. */
function choose(rows, row) {
  allFound = false;
  entries().forEach((one) => {
    const among = rows.includes(one);
    one.setAttribute("aria-selected", String(among));
    one.tabIndex = one === row ? 0 : -1;
    const tick = find("[data-choose]", one);
    if (tick) tick.checked = among;
  });
  if (row) {
    returnTo = row.dataset.pk;
    returnAt = entries().indexOf(row);
  }
  showChosen();
}

function toggle(row) {
  const rows = chosen();
  ticking = true;
  choose(rows.includes(row) ? rows.filter((one) => one !== row) : [...rows, row], row);
  anchor = row.dataset.pk;
}

function chooseTo(row) {
  const rows = entries();
  const from = rows.findIndex((one) => one.dataset.pk === anchor);
  const [low, high] = [from < 0 ? 0 : from, rows.indexOf(row)].sort((a, b) => a - b);
  choose(rows.slice(low, high + 1), row);
}

function showChosen() {
  const count = chosen().length;
  const table = find("#rows table");
  const found = Number(table ? table.dataset.found : 0);
  findAll("[data-action=edit], [data-action=remove], [data-action=clone]").forEach((button) => { button.disabled = count !== 1; });
  const whole = find("[data-choose-page]");
  if (whole) {
    whole.checked = count > 0 && count === entries().length;
    whole.indeterminate = count > 0 && !whole.checked;
  }
  if (!chosenBar) return;
  const words = chosenBar.dataset;
  chosenBar.hidden = !count || (count === 1 && !ticking);
  find("[role=status]", chosenBar).textContent = allFound ? words.all.replace("#", found) : count === 1 ? words.one : words.many.replace("#", count);
  const all = find("[data-choose-all]", chosenBar);
  all.textContent = words.choose.replace("#", found);
  all.hidden = allFound || count < 2 || count !== entries().length || count === found;
}

/* What an action is about: each row by its number, or all that the search and the filters find. */
function openMany(button) {
  const values = new URLSearchParams(allFound ? find("#rows table").dataset.query : "");
  if (allFound) values.append("all", "yes");
  else chosen().forEach((row) => values.append("pk", row.dataset.pk));
  openDialog(button.dataset.many, "POST", Object.fromEntries([...new Set(values.keys())].map((key) => [key, values.getAll(key)])));
}

function showSelection() {
  findAll("#rows [data-open]").forEach((link) => { link.tabIndex = -1; }); // the row has the focus
  let row = returnTo && find(`#rows tr[data-pk="${returnTo}"]`);
  if (!returnTo && returnAt >= 0) row = entries()[Math.min(returnAt, entries().length - 1)];
  const searching = document.activeElement && document.activeElement.id === "search";
  select(row || null, Boolean(row) && !searching && !(dialog && dialog.open));
  if (!row && entries().length) entries()[0].tabIndex = 0;
}

function act(action, row) {
  if (action === "add") {
    const button = find("[data-action=add]");
    if (button) openDialog(button.dataset.address);
  } else if (row && find(`[data-action=${action}]`)) openDialog(row.dataset[action]);
}

document.addEventListener("click", (event) => {
  const row = event.target.closest("#rows tr[data-pk]");
  const link = event.target.closest("[data-open]");
  if (row && !(link && (event.ctrlKey || event.metaKey || event.shiftKey))) {
    const several = row.parentElement.closest("[aria-multiselectable]");
    if (several && (event.target.closest(".choice") || event.ctrlKey || event.metaKey)) toggle(row);
    else if (several && event.shiftKey) chooseTo(row);
    else select(row, true);
    if (link) {
      event.preventDefault();
      act("edit", row);
    }
  }
  if (event.target.closest("[data-choose-page]")) { ticking = true; choose(event.target.checked ? entries() : [], entries()[0]); }
  if (event.target.closest("[data-choose-none]")) choose([], entries()[0]);
  if (event.target.closest("[data-choose-all]")) { allFound = true; showChosen(); }
  const many = event.target.closest("[data-many]:not(form)");
  if (many) openMany(many);
  const button = event.target.closest("[data-action]");
  if (button && !(button.href && (event.ctrlKey || event.metaKey || event.shiftKey))) {
    event.preventDefault();
    act(button.dataset.action, selected());
  }
  if (event.target.closest("[data-close-login]")) return endLogin();
  const closing = event.target.closest("[data-close]");
  if (closing) {
    if (dialog.open) closeDialog(false);
    else if (document.referrer.startsWith(`${window.location.origin}/`)) window.history.back();
    else window.location.assign(`/${window.location.pathname.split("/")[1]}/`);
    if (closing.matches("[data-reload]")) reload();
  }
  const tab = event.target.closest("[role=tab]");
  if (tab) showTab(tab.getAttribute("aria-controls"));
  const adding = event.target.closest("[data-add-row]");
  if (adding) addRow(adding.closest("[data-rows]"));
  const removing = event.target.closest("[data-remove-row]");
  if (removing) removeRow(removing.closest("[data-row]"));
  const chip = event.target.closest("[data-insert]");
  if (chip) insert(chip);
  if (event.target.closest("[data-theme-switch]")) switchTheme(event.target.closest("[data-theme-switch]"));
  const asking = event.target.closest("button[data-ask]");
  if (asking && !asking.dataset.agreed) {
    event.preventDefault();
    ask(asking.dataset.ask, asking.textContent.trim()).then((agreed) => {
      if (!agreed) return;
      asking.dataset.agreed = "yes";
      asking.click();
      delete asking.dataset.agreed;
    });
  }
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault(); // a second click while the first is on its way
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  event.preventDefault();
  const button = event.submitter;
  if (!form.dataset.ask) return sendForm(form, button);
  ask(form.dataset.ask, find("button", form).textContent.trim()).then((agreed) => { if (agreed) sendForm(form, button); });
});
document.addEventListener("dblclick", (event) => {
  const row = event.target.closest("#rows tr[data-pk]");
  if (row && !event.target.closest(".choice, [data-open]")) act("edit", row);
});

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "a" && event.target.closest("#rows tr[data-pk]") && find("#rows [aria-multiselectable]")) {
    event.preventDefault();
    choose(entries(), event.target.closest("tr"));
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("[role=tab]")) return tabKeys(event);
  if (find("dialog[open]")) return;
  const typing = event.target.matches("input, select, textarea");
  if (event.key === "/" && !typing && find("#search")) {
    event.preventDefault();
    find("#search").focus();
  } else if (event.key === "Insert") act("add");
  else if (event.target.id === "search" && event.key === "ArrowDown" && entries().length) {
    event.preventDefault();
    select(entries()[0], true);
  } else if (!typing && event.target.closest("#rows tr[data-pk]")) listKeys(event);
  else if (event.target.matches("body, main") && ["ArrowDown", "ArrowUp"].includes(event.key) && entries().length) {
    event.preventDefault();
    select(selected() || entries()[0], true);
  }
});

function listKeys(event) {
  const rows = entries();
  const at = rows.indexOf(event.target.closest("tr"));
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    if (rows[to] && event.shiftKey && find("#rows [aria-multiselectable]")) {
      chooseTo(rows[to]);
      rows[to].focus();
    } else if (rows[to]) select(rows[to], true);
  } else if (event.key === "Enter") { event.preventDefault(); select(rows[at]); act("edit", rows[at]); }
  else if (event.key === "Delete") {
    const many = chosen().length > 1 && find("[data-many$='/many/remove/']");
    if (many) openMany(many);
    else { select(rows[at]); act("remove", rows[at]); }
  } else if (event.key === " ") {
    event.preventDefault();
    if (find("#rows [aria-multiselectable]")) toggle(rows[at]);
    else select(rows[at], true);
  } else if (event.key === "Escape" && chosen().length > 1) select(rows[at], true);
  else if (event.key === "PageDown" || event.key === "PageUp") {
    const link = find(`#rows [data-page=${event.key === "PageDown" ? "next" : "previous"}]`);
    if (link) { event.preventDefault(); returnTo = null; returnAt = 0; link.click(); }
  }
}

/* --- tabs and rows of a form --- */
function showTab(id) {
  if (!find("[role=tablist]", dialogBody) && !find("main [role=tablist]")) return;
  findAll("[role=tab]").forEach((tab) => {
    const here = tab.getAttribute("aria-controls") === id;
    tab.setAttribute("aria-selected", String(here));
    tab.tabIndex = here ? 0 : -1;
  });
  findAll("[role=tabpanel]").forEach((panel) => { panel.hidden = panel.id !== id; });
}

function tabKeys(event) {
  const tabs = findAll("[role=tab]");
  const at = tabs.indexOf(event.target);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = tabs[(to + tabs.length) % tabs.length];
  showTab(next.getAttribute("aria-controls"));
  next.focus();
}

/* A service has a queue only if it is inbound and its calls wait: else there is nothing to type. */
function showQueue() {
  const type = find("#id_type"), waits = find("#id_is_queue"), name = find("#id_queue_name"), leave = find("#id_may_leave");
  if (!type || !waits || !name || waits.closest("fieldset:disabled")) return;
  waits.disabled = type.value === "outbound";
  name.disabled = waits.disabled || !waits.checked;
  if (leave) leave.disabled = name.disabled;
}
document.addEventListener("change", (event) => {
  if (event.target.matches("#id_type, #id_is_queue")) showQueue();
});

function countRows(panel) {
  const count = findAll("[data-row]:not([hidden])", panel).length;
  const shown = find(`[data-count=${panel.dataset.rows}]`);
  if (shown) shown.textContent = count || "";
}

function addRow(panel) {
  const total = find("input[name$=-TOTAL_FORMS]", panel);
  const box = document.createElement("div");
  box.innerHTML = find("template", panel).innerHTML.replaceAll("__prefix__", total.value);
  const row = box.firstElementChild;
  total.value = Number(total.value) + 1;
  find(".rows", panel).append(row);
  htmx.process(row);
  noteChange(panel);
  countRows(panel);
  showVariableChips();
  const first = find("input:not([type=hidden]), select", row);
  if (first) first.focus();
}

function removeRow(row) {
  const tick = find("input[name$=-DELETE]", row);
  if (tick) tick.checked = true;
  row.hidden = true;
  noteChange(row);
  countRows(row.closest("[data-rows]"));
  refreshPreviews();
  showVariableChips();
}

/* --- what is picked from thousands: found by the server, kept in the order of picking --- */
const pickedRows = (picker) => findAll("[data-picked-list] > li", picker);

function countPicked(picker) {
  const count = pickedRows(picker).length;
  findAll("[data-picked-count]").forEach((place) => { place.textContent = count; });
  const there = new Set(pickedRows(picker).map((row) => row.dataset.picked));
  findAll("[data-pick]", picker).forEach((button) => { button.disabled = there.has(button.dataset.pick); });
}

function pick(picker, buttons) {
  const list = find("[data-picked-list]", picker);
  const there = new Map(pickedRows(picker).map((row) => [row.dataset.picked, row]));
  const template = find("template", picker).content.firstElementChild;
  let row = null;
  buttons.forEach((button) => {
    const found = button.dataset;
    row = there.get(found.pick);
    const field = (one) => find("input[name]", one);
    if (row) {
      if (button.closest("[data-add-now]")) field(row).value = found.penaltyOf;
      return;
    }
    row = template.cloneNode(true);
    row.dataset.picked = found.pick;
    const who = find(".who-is", row);
    who.replaceChildren(found.title, Object.assign(document.createElement("small"), { textContent: found.detail }));
    const input = field(row);
    input.name += found.pick;
    input.value = found.penaltyOf;
    if (found.without !== undefined) input.type = "hidden";
    findAll("[aria-label]", row).forEach((one) => one.setAttribute("aria-label", one.getAttribute("aria-label") + found.title));
    list.append(row);
  });
  noteChange(picker);
  countPicked(picker);
  if (row) row.scrollIntoView({ block: "nearest" });
}

document.addEventListener("click", (event) => {
  const picker = event.target.closest("[data-picker]");
  if (!picker) return;
  const picking = event.target.closest("[data-pick]");
  if (picking) pick(picker, [picking]);
  const ticked = pickedRows(picker).filter((row) => find("[data-tick]", row).checked);
  if (event.target.closest("[data-unpick]")) {
    const row = event.target.closest("li");
    const next = row.nextElementSibling || row.previousElementSibling;
    row.remove();
    const button = next && find("[data-unpick]", next);
    if (button) button.focus();
  } else if (event.target.closest("[data-unpick-ticked]")) ticked.forEach((row) => row.remove());
  else if (event.target.closest("[data-set-penalties]")) {
    const value = find("[data-penalty]", picker).value || 0;
    (ticked.length ? ticked : pickedRows(picker)).forEach((row) => { find("input[name]", row).value = value; });
  } else return;
  noteChange(picker);
  countPicked(picker);
});
document.addEventListener("htmx:afterSwap", (event) => {
  const picker = event.detail.target.closest("[data-picker]");
  if (!picker) return;
  const now = find("[data-add-now]", event.detail.target);
  if (now) {
    pick(picker, findAll("[data-pick]", now));
    now.remove();
    findAll(":scope > .error", picker).forEach((said) => said.remove());
    if (now.dataset.left !== undefined) find("textarea", picker).value = now.dataset.left; // what is still to be corrected
    const search = find("input[type=search]", picker);
    if (event.detail.target.matches(".found")) htmx.trigger(search, "search");
  }
  countPicked(picker);
});

/* --- triggers: placeholders and preview --- */
let lastTyped = null;
let previewTimer = 0;
document.addEventListener("focusin", (event) => {
  if (event.target.matches(".trigger input[type=text]")) lastTyped = event.target;
});

function insert(chip) {
  const trigger = chip.closest(".trigger");
  const runs = find("select[name$=-type]", trigger).value === "application";
  const usual = find(runs ? "input[name$=-parameters]" : "input[name$=-url]", trigger);
  const field = lastTyped && trigger.contains(lastTyped) && !lastTyped.name.endsWith("-application") && lastTyped.offsetParent ? lastTyped : usual;
  const at = field.selectionStart ?? field.value.length;
  field.setRangeText(chip.dataset.insert, at, field.selectionEnd ?? at, "end");
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function showVariableChips() {
  const names = findAll("[data-rows=variables] [data-row]:not([hidden]) input[name$=-name]").map((one) => one.value.trim()).filter(Boolean);
  findAll("[data-variable-chips]").forEach((place) => {
    place.replaceChildren(...names.map((name) => {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.className = "chip own";
      chip.dataset.insert = chip.textContent = `{${name.toUpperCase()}}`;
      return chip;
    }));
  });
}

function refreshPreviews() {
  clearTimeout(previewTimer);
  previewTimer = setTimeout(() => findAll("[data-rows=triggers] .rows [data-row]:not([hidden]) .preview").forEach((one) => htmx.trigger(one, "refresh-preview")), 300);
}
document.addEventListener("input", (event) => {
  if (!event.target.closest("form.entry") || !find("[data-rows=triggers]")) return;
  if (event.target.closest("[data-rows=variables]")) showVariableChips();
  if (!event.target.closest("[data-picker]")) refreshPreviews();
});

/* --- publications: the mark of the one in force goes with what the server says --- */
function showInForce() {
  const status = document.getElementById("server-status");
  if (status) findAll("[data-in-force]").forEach((mark) => { mark.hidden = mark.dataset.inForce !== status.dataset.file; });
}

/* --- light and dark --- */
function switchTheme(button) {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  htmx.ajax("POST", button.dataset.address, { values: { theme: root.dataset.theme }, swap: "none" });
}

// A form that was opened as a page of its own, without a dialog.
if (find("main [role=tablist]")) { showTab("panel-general"); findAll("[data-rows]").forEach(countRows); showVariableChips(); showQueue(); }
if (document.getElementById("rows")) showSelection();
// On a narrow screen the menu bar scrolls: where one is has to be seen.
const here = find(".bar nav [aria-current]");
if (here) here.parentElement.scrollLeft = here.offsetLeft - (here.parentElement.clientWidth - here.offsetWidth) / 2;
