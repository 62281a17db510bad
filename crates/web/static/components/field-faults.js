// What is wrong with a field, said beside it.

/** Says what is wrong with a field of a form. */
export function fieldFault(input, text) {
  const note = document.createElement("span");
  note.className = "error";
  note.id = `${input.id}-error`;
  note.textContent = text;
  input.closest(".field")?.append(note);
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", `${note.id} ${hint(input)}`.trim());
}

/** Takes back what was said beside the fields of a form. */
export function clearFaults(form) {
  for (const note of form.querySelectorAll(".field > .error")) note.remove();
  for (const input of form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    if (hint(input)) input.setAttribute("aria-describedby", hint(input));
    else input.removeAttribute("aria-describedby");
  }
}

function hint(input) {
  return input.closest(".field")?.querySelector(".hint[id]")?.id ?? "";
}
