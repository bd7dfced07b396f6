// Tells the page whose session had ended that there is one again. It may be in another group of windows by now.
"use strict";

new BroadcastChannel("astcti-signed-on").postMessage("signed on");
window.close(); // where the browser lets a page do that
