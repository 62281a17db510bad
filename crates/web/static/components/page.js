// What every page needs.
import "./local-time.js";
import "./offline-notice.js";
import "./theme-switch.js";
