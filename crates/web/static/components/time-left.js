// The time that is left of a session, in figures and in words: a banner near the end, and what a screen reader is told.

import { localTime } from "./local-time.js";

const TEXT = {
  minutes: (minutes, end) => `${minutes} ${minutes === 1 ? "minute" : "minutes"} left, until ${end}.`,
  seconds: (end) => `Less than a minute left, until ${end}.`,
  over: "The paid time is over.",
};

/** `9:05`, and `1:09:05` from an hour on. */
export function timeLeft(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** The words. They change with the minutes, so that a screen reader is told at most a few times. */
export class TimeNotice {
  #banner;
  #said;

  constructor(room) {
    this.#banner = room.querySelector("[data-time-notice]");
    this.#said = room.querySelector("[data-time-said]");
  }

  /** So many seconds are left until `deadline`, and that is to be seen. */
  show(seconds, deadline) {
    const end = localTime(deadline);
    if (seconds === 0) this.#tell(TEXT.over);
    else if (seconds < 60) this.#tell(TEXT.seconds(end));
    else this.#tell(TEXT.minutes(Math.ceil(seconds / 60), end));
  }

  /** There is time enough, or none runs. */
  hide() {
    this.#banner.hidden = true;
    if (this.#said.textContent !== "" && this.#said.textContent !== TEXT.over) this.#said.textContent = "";
  }

  /** The session is over because its time was. */
  over() {
    this.#said.textContent = TEXT.over;
  }

  #tell(text) {
    this.#banner.hidden = false;
    const place = this.#banner.querySelector("[data-message]");
    if (place.textContent === text) return;
    place.textContent = text;
    this.#said.textContent = text;
  }
}
