// A still of what the other side shows: look at it, mark it with a finger or the mouse, save it among the session's
// files. Nothing is kept of what is not saved.

import { call, problem } from "./api.js";

const LARGEST = 1600;
const QUALITY = 0.9;

export class Still {
  #dialog;
  #canvas;
  #session;
  #frame = null;
  #marks = [];
  #drawing = null;

  /** `dialog` holds a canvas and the buttons `[data-still]`; `session` is the session's id. */
  constructor(dialog, session) {
    this.#dialog = dialog;
    this.#session = session;
    this.#canvas = dialog.querySelector("canvas");
    this.#canvas.addEventListener("pointerdown", (event) => this.#begin(event));
    this.#canvas.addEventListener("pointermove", (event) => this.#go(event));
    for (const end of ["pointerup", "pointercancel"]) this.#canvas.addEventListener(end, () => (this.#drawing = null));
    dialog.querySelector("[data-still=undo]").addEventListener("click", () => {
      this.#marks.pop();
      this.#paint();
    });
    dialog.querySelector("[data-still=save]").addEventListener("click", (event) => this.#save(event.currentTarget));
    dialog.addEventListener("close", () => this.#forget());
  }

  /** Freezes what a video shows now; answers whether it shows anything. */
  freeze(video) {
    const { videoWidth, videoHeight } = video;
    if (!videoWidth) return false;
    const scale = Math.min(1, LARGEST / Math.max(videoWidth, videoHeight));
    this.#canvas.width = Math.round(videoWidth * scale);
    this.#canvas.height = Math.round(videoHeight * scale);
    const frame = new OffscreenCanvas(this.#canvas.width, this.#canvas.height);
    frame.getContext("2d").drawImage(video, 0, 0, frame.width, frame.height);
    this.#frame = frame;
    this.#marks = [];
    this.#fault("");
    this.#paint();
    this.#dialog.showModal();
    return true;
  }

  #forget() {
    this.#frame = this.#drawing = null;
    this.#marks = [];
    this.#canvas.width = this.#canvas.height = 1;
  }

  // A place on the canvas, which the page shows smaller than it is.
  #place({ clientX, clientY }) {
    const box = this.#canvas.getBoundingClientRect();
    return [
      ((clientX - box.left) / box.width) * this.#canvas.width,
      ((clientY - box.top) / box.height) * this.#canvas.height,
    ];
  }

  #begin(event) {
    event.preventDefault();
    this.#canvas.setPointerCapture(event.pointerId);
    this.#drawing = [this.#place(event)];
    this.#marks.push(this.#drawing);
    this.#paint();
  }

  #go(event) {
    if (!this.#drawing) return;
    this.#drawing.push(this.#place(event));
    this.#paint();
  }

  #paint() {
    const pen = this.#canvas.getContext("2d");
    pen.drawImage(this.#frame, 0, 0);
    const style = getComputedStyle(this.#canvas);
    pen.lineWidth = Math.max(4, this.#canvas.width / 120);
    pen.lineCap = pen.lineJoin = "round";
    for (const mark of this.#marks) {
      pen.beginPath();
      pen.moveTo(...mark[0]);
      for (const place of mark.length > 1 ? mark.slice(1) : mark) pen.lineTo(...place);
      // Readable on light and on dark: the colour of the page's accent with an edge.
      pen.strokeStyle = style.backgroundColor;
      pen.save();
      pen.lineWidth *= 1.8;
      pen.stroke();
      pen.restore();
      pen.strokeStyle = style.color;
      pen.stroke();
    }
    this.#dialog.querySelector("[data-still=undo]").disabled = this.#marks.length === 0;
  }

  async #save(button) {
    button.disabled = true;
    this.#fault("");
    try {
      const file = await new Promise((done) => this.#canvas.toBlob(done, "image/jpeg", QUALITY));
      const id = await upload(file);
      const client_ref = `still-${id}`;
      await call("POST", `/api/sessions/${this.#session}/messages`, { client_ref, text: "", file_ids: [id] });
      this.#dialog.close();
    } catch (error) {
      this.#fault(error.message);
    } finally {
      button.disabled = false;
    }
  }

  #fault(message) {
    const place = this.#dialog.querySelector("[data-still=fault]");
    place.textContent = message;
    place.hidden = message === "";
  }
}

async function upload(file) {
  const body = new FormData();
  body.append("file", file, `still-${new Date().toISOString().replace(/[:.]/g, "-")}.jpg`);
  const response = await fetch("/api/files", { method: "POST", headers: { Accept: "application/json" }, body });
  const data = await response.json().catch(() => null);
  if (!response.ok) throw problem(response.status, data);
  return data.file_id;
}
