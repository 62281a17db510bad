// <local-time format="time|date|datetime"><time datetime="…">text</time></local-time>
// Shows the instant in the viewer's own zone. Without script the text stays, in the zone of the account.

const FORMATS = {
  time: { hour: "numeric", minute: "2-digit" },
  date: { day: "numeric", month: "long", year: "numeric" },
  datetime: { day: "numeric", month: "short", year: "numeric", hour: "numeric", minute: "2-digit" },
};

// The page is in English; the reader's own kind of English decides on the order and on 12 or 24 hours.
const LOCALE = navigator.languages.find((language) => language.startsWith("en")) ?? "en";

/** The instant as text in the viewer's zone. */
export function localTime(instant, format = "time") {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return "";
  return new Intl.DateTimeFormat(LOCALE, FORMATS[format] ?? FORMATS.datetime).format(date);
}

/** A <time> element for the instant. */
export function timeElement(instant, format = "time") {
  const element = document.createElement("time");
  element.dateTime = instant;
  element.textContent = localTime(instant, format);
  element.title = localTime(instant, "datetime");
  return element;
}

class LocalTime extends HTMLElement {
  connectedCallback() {
    const time = this.querySelector("time");
    const text = time && localTime(time.dateTime, this.getAttribute("format"));
    if (!text) return;
    time.title = time.textContent;
    time.textContent = text;
  }
}

customElements.define("local-time", LocalTime);
