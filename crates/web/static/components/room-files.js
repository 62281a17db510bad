// Files in a room: with their message, in the side list, and a picture as a whole.

const SMALL = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);
const KINDS = { "application/pdf": "PDF", "image/": "Photo", "video/": "Video", "audio/": "Sound" };

/** Bytes as people read them. */
export function sizeText(bytes) {
  const kilobytes = Math.floor(bytes / 1000);
  return kilobytes >= 1000 ? `${Math.floor(kilobytes / 100) / 10} MB` : `${Math.max(kilobytes, 1)} KB`;
}

/** What a person calls it, and its size. */
function about(file) {
  const kind = Object.entries(KINDS).find(([start]) => file.content_type.startsWith(start))?.[1] ?? "File";
  return `${kind}, ${sizeText(file.size_bytes)}`;
}

/** The files of a line of the log. */
export function filesOf(event) {
  if (event.kind === "file") return event.body?.file ? [event.body.file] : [];
  return event.kind === "message" ? (event.body?.files ?? []) : [];
}

/** Adds files to the list of a message: pictures are shown, the others named. */
export function showFiles(room, list, files) {
  for (const file of files) {
    const isShown = SMALL.has(file.content_type);
    const name = isShown ? "shot" : "file";
    const item = document.importNode(room.querySelector(`template[data-${name}]`).content, true).firstElementChild;
    item.querySelector("a").href = `/api/files/${file.id}`;
    if (isShown) {
      const picture = item.querySelector("img");
      picture.alt = file.name;
      // Its place is there before it has come.
      if (file.width && file.height) [picture.width, picture.height] = [file.width, file.height];
      picture.src = `/api/files/${file.id}?size=thumb`;
    } else {
      item.querySelector("[data-name]").textContent = file.name;
      item.querySelector("[data-about]").textContent = about(file);
    }
    list.append(item);
  }
}

/** Adds files to the list beside the log. */
export function listFiles(room, files) {
  const list = room.querySelector("[data-side-files]");
  for (const file of files) {
    if (list.querySelector(`[data-file-id="${CSS.escape(file.id)}"]`)) continue;
    const item = document.importNode(room.querySelector("template[data-side-file]").content, true).firstElementChild;
    item.dataset.fileId = file.id;
    item.querySelector("a").href = `/api/files/${file.id}`;
    item.querySelector("[data-name]").textContent = file.name;
    item.querySelector("[data-about]").textContent = sizeText(file.size_bytes);
    list.append(item);
    list.closest("section").hidden = false;
  }
}

/** A picture of the log is opened in the room; with a modifier, or without script, in a page of its own. */
export function openPictures(room) {
  const dialog = room.querySelector('[data-dialog="picture"]');
  const picture = dialog.querySelector("img");
  room.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[data-shot]") : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    picture.src = link.href;
    picture.alt = link.querySelector("img").alt;
    dialog.querySelector("[data-name]").textContent = picture.alt;
    dialog.querySelector("[data-original]").href = link.href;
    dialog.showModal();
  });
  dialog.addEventListener("close", () => picture.removeAttribute("src"));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}
