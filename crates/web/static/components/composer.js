// The field below the messages: Enter sends, Shift and Enter starts a new line, a draft survives a reload.

const TYPING_EVERY_MS = 2_500;
const TEXT = {
  tooLong: "This message is too long. Send it in two parts.",
};

export class Composer {
  #form;
  #field;
  #key;
  #limit;
  #on;
  #typedAt = 0;

  #attachments;

  /** `on` has `say(text, files)`, `typing()` and `fault(message)`; `attachments` is what goes with the message. */
  constructor(form, sessionId, limit, on, attachments) {
    this.#attachments = attachments;
    this.#form = form;
    this.#field = form.querySelector("textarea");
    this.#key = `pitlane:draft:${sessionId}`;
    this.#limit = limit;
    this.#on = on;
    this.#field.value = this.#draft() || this.#field.value;
    this.#grow();
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("keydown", (event) => {
      // While an input method composes a character, Enter belongs to it.
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.#submit();
      }
    });
    this.#field.addEventListener("input", () => this.#typed());
  }

  #submit() {
    const text = this.#field.value.trim();
    if (text === "" && this.#attachments.isEmpty) return;
    if (new TextEncoder().encode(text).length > this.#limit) {
      this.#on.fault(TEXT.tooLong);
      return;
    }
    if (this.#attachments.isBusy) {
      this.#attachments.whenSettled(() => this.#submit());
      return;
    }
    const files = this.#attachments.take();
    if (!files) return;
    this.#on.fault("");
    this.#on.say(text, files);
    this.#field.value = "";
    this.#typedAt = 0;
    this.#keep("");
    this.#grow();
    this.#field.focus();
  }

  #typed() {
    this.#grow();
    this.#keep(this.#field.value);
    const now = Date.now();
    if (this.#field.value.trim() === "" || now - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = now;
    this.#on.typing();
  }

  #grow() {
    const { style } = this.#field;
    style.blockSize = "auto";
    style.blockSize = `${Math.min(this.#field.scrollHeight + 2, 160)}px`;
  }

  #draft() {
    try {
      return sessionStorage.getItem(this.#key);
    } catch {
      return null;
    }
  }

  #keep(text) {
    try {
      if (text) sessionStorage.setItem(this.#key, text);
      else sessionStorage.removeItem(this.#key);
    } catch {
      // Storage may be forbidden; the draft then lasts as long as the page.
    }
  }
}
