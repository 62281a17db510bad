// <api-form [data-done] [data-then="remove|reload|reset|go"] [data-to] [data-reveal]>: sends its form to the API as JSON.
//
// `data-method` on the form names a method that HTML forms don't have. Faults stand beside their fields, and those of no
// field in the form's `[data-fault]`, which each has; `[data-outcome]` tells what went well.

import { call } from "./api.js";
import { clearFaults, fieldFault } from "./field-faults.js";

class ApiForm extends HTMLElement {
  connectedCallback() {
    this.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(event.currentTarget);
    });
  }

  async #send(form) {
    const button = form.querySelector("[type=submit]");
    const fields = Object.fromEntries(new FormData(form));
    // A box that is not ticked is left out of a form; here it says no.
    for (const box of form.querySelectorAll("input[type=checkbox][data-choice]")) fields[box.name] = box.checked;
    for (const input of form.querySelectorAll("input[data-number]")) fields[input.name] = number(input.value);
    const body = Object.keys(fields).length > 0 ? fields : undefined;
    this.#clear(form);
    button.disabled = true;
    try {
      const { data } = await call(form.dataset.method ?? "POST", form.getAttribute("action"), body);
      this.#done(form, data);
    } catch (error) {
      this.#fault(form, error);
    } finally {
      button.disabled = false;
    }
  }

  #done(form, data) {
    const { done, then, to, reveal } = this.dataset;
    const outcome = form.querySelector("[data-outcome]");
    if (done && outcome) outcome.textContent = done;
    if (reveal) {
      form.querySelector("[data-secret]").textContent = data[reveal];
      form.querySelector("[data-revealed]").hidden = false;
      form.reset();
    }
    if (then === "remove") {
      const item = this.closest("li");
      const next = item.nextElementSibling ?? item.previousElementSibling;
      item.remove();
      // What an empty list says, and what counted its rows, is the page's to write.
      if (next) next.querySelector("button, a")?.focus();
      else location.reload();
    }
    if (then === "reset") form.reset();
    if (then === "reload") location.reload();
    if (then === "go") location.assign(to);
  }

  #fault(form, error) {
    let shown = false;
    for (const { field, message } of error.errors) {
      const input = form.elements.namedItem(field);
      if (!(input instanceof HTMLElement)) continue;
      fieldFault(input, message);
      if (!shown) input.focus();
      shown = true;
    }
    if (!shown) {
      const place = form.querySelector("[data-fault]");
      place.textContent = error.message;
      place.hidden = false;
    }
  }

  #clear(form) {
    clearFaults(form);
    for (const place of form.querySelectorAll("[data-outcome]")) place.textContent = "";
    form.querySelector("[data-fault]").hidden = true;
  }
}

// A number as people type it, `84,000`; null when there is none. What is no number lies outside every range and is told
// as that.
function number(typed) {
  const digits = typed.replace(/[\s,]/g, "");
  if (digits === "") return null;
  return /^\d+$/.test(digits) ? Number(digits) : -1;
}

customElements.define("api-form", ApiForm);
