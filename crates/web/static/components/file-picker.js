// <file-picker max-files max-bytes>: sends each file to /api/files as soon as it is chosen or dropped, and puts its
// id into the form. With `photos` it takes nothing else, and what is ticked elsewhere in the form counts too; with
// `papers` it takes what a licence is sent as.

import { problem } from "./api.js";

const TEXT = {
  tooMany: (most) => `Up to ${most} files. Remove one to add another.`,
  tooManyPhotos: (most) => `Up to ${most} photos. Take one away to add another.`,
  notAPhoto: (name) => `${name} is no photo.`,
  notAPaper: (name) => `${name} is neither a photo nor a PDF.`,
  tooLargePhoto: (name, most) => `${name} is larger than ${most} MB. A smaller photo works.`,
  unsent: "One file did not arrive. Remove it, or add it again.",
  tooLarge: (name, most) => `${name} is larger than ${most} MB. A shorter recording or a smaller photo works.`,
  sending: (percent) => `Sending, ${percent} %`,
  sent: (size) => `${size}, uploaded`,
  network: "It did not arrive. Check your connection, remove the file and try again.",
  remove: (name) => `Remove ${name}`,
};

/** Bytes as people read them. */
function sizeText(bytes) {
  const kilobytes = Math.floor(bytes / 1000);
  return kilobytes >= 1000 ? `${Math.floor(kilobytes / 100) / 10} MB` : `${Math.max(kilobytes, 1)} KB`;
}

const PAPERS = new Set(["application/pdf", "image/jpeg", "image/png", "image/webp"]);

class FilePicker extends HTMLElement {
  #list = this.querySelector("[data-list]");
  #fault = this.querySelector("[data-fault]");

  connectedCallback() {
    const drop = this.querySelector("[data-drop]");
    const input = drop.querySelector("input");
    drop.hidden = false;
    input.addEventListener("change", () => {
      this.#add([...input.files]);
      input.value = "";
    });
    drop.addEventListener("dragover", (event) => event.preventDefault());
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#add([...event.dataTransfer.files]);
    });
    this.#list.addEventListener("click", (event) => {
      const row = event.target.closest("[data-remove]")?.closest("li");
      if (!row) return;
      row.upload?.abort();
      row.remove();
      this.#fault.hidden = true;
      input.focus();
    });
    this.closest("form").addEventListener("submit", (event) => this.#wait(event));
  }

  #add(files) {
    this.#fault.hidden = true;
    const most = Number(this.getAttribute("max-files"));
    const largest = Number(this.getAttribute("max-bytes"));
    const photos = this.hasAttribute("photos");
    const ticked = this.closest("form").querySelectorAll("input[type=checkbox][name=file_ids]:checked").length;
    for (const file of files) {
      if (ticked + this.#list.children.length >= most) {
        this.#complain(photos ? TEXT.tooManyPhotos(most) : TEXT.tooMany(most));
        return;
      }
      if (photos && !file.type.startsWith("image/")) {
        this.#complain(TEXT.notAPhoto(file.name));
        continue;
      }
      if (this.hasAttribute("papers") && !PAPERS.has(file.type)) {
        this.#complain(TEXT.notAPaper(file.name));
        continue;
      }
      if (file.size > largest) {
        const megabytes = Math.floor(largest / 1e6);
        this.#complain(photos ? TEXT.tooLargePhoto(file.name, megabytes) : TEXT.tooLarge(file.name, megabytes));
        continue;
      }
      this.#send(file);
    }
  }

  #send(file) {
    const row = this.querySelector("template[data-row]").content.cloneNode(true).querySelector("li");
    const state = row.querySelector("[data-state]");
    const progress = row.querySelector("progress");
    row.querySelector("[data-name]").textContent = file.name;
    row.querySelector("[data-remove]").setAttribute("aria-label", TEXT.remove(file.name));
    progress.setAttribute("aria-label", file.name);
    this.#preview(row.querySelector("[data-picture]"), file);
    state.textContent = TEXT.sending(0);
    this.#list.append(row);

    const failed = (message) => {
      progress.remove();
      row.dataset.failed = "";
      state.className = "error";
      state.textContent = message;
      row.upload = null;
      this.#settled();
    };
    // fetch() can't tell how far an upload has come.
    const upload = new XMLHttpRequest();
    row.upload = upload;
    upload.responseType = "json";
    upload.upload.addEventListener("progress", (event) => {
      const percent = event.lengthComputable ? Math.floor((event.loaded / event.total) * 100) : 0;
      progress.value = percent;
      state.textContent = TEXT.sending(percent);
    });
    upload.addEventListener("load", () => {
      if (upload.status !== 201) {
        failed(problem(upload.status, upload.response).message);
        return;
      }
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = "file_ids";
      field.value = upload.response.file_id;
      progress.remove();
      row.append(field);
      state.textContent = TEXT.sent(sizeText(file.size));
      row.upload = null;
      this.#settled();
    });
    upload.addEventListener("error", () => failed(TEXT.network));
    upload.addEventListener("abort", () => this.#settled());
    const body = new FormData();
    body.append("file", file);
    upload.open("POST", "/api/files");
    upload.setRequestHeader("Accept", "application/json");
    upload.send(body);
  }

  /** Shows a picture that this browser can read; the others keep to their names. */
  #preview(picture, file) {
    if (!file.type.startsWith("image/")) return;
    const address = URL.createObjectURL(file);
    picture.addEventListener("load", () => (picture.hidden = false));
    for (const done of ["load", "error"]) picture.addEventListener(done, () => URL.revokeObjectURL(address));
    picture.src = address;
  }

  // The form must not leave before the files have arrived: it is sent by itself when the last one has.
  #pending = null;

  #wait(event) {
    if (this.querySelector("[data-list] [data-failed]")) {
      event.preventDefault();
      this.#complain(TEXT.unsent);
      return;
    }
    if (![...this.#list.children].some((row) => row.upload)) return;
    event.preventDefault();
    this.#pending = event.submitter;
    this.#pending.disabled = true;
  }

  #settled() {
    const button = this.#pending;
    if (!button || [...this.#list.children].some((row) => row.upload)) return;
    this.#pending = null;
    button.disabled = false;
    this.closest("form").requestSubmit(button);
  }

  #complain(message) {
    this.#fault.textContent = message;
    this.#fault.hidden = false;
  }
}

customElements.define("file-picker", FilePicker);
