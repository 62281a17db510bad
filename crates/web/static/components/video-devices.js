// Cameras and microphones: asking for them, choosing, switching, and saying in one word what stands in the way.

const CHOICE = "pitlane:devices";
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

/** Why a device can't be had: `refused`, `none`, `busy` or `unsupported`. */
export class Blocked extends Error {
  constructor(why) {
    super(why);
    this.why = why;
  }
}

function reason(error) {
  if (error instanceof Blocked) return error;
  switch (error?.name) {
    case "NotAllowedError":
    case "SecurityError":
      return new Blocked("refused");
    case "NotFoundError":
    case "OverconstrainedError":
      return new Blocked("none");
    default:
      return new Blocked("busy");
  }
}

/** Asks the browser. Under plain http on another machine there is nobody to ask. */
async function ask(constraints) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Blocked("unsupported");
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    throw reason(error);
  }
}

/**
 * Asks for one device: the one that was chosen, or any when that one is gone. `request(deviceId)` are the constraints;
 * they name it by `exact`, for Chromium doesn't heed an `ideal` device.
 */
async function askFor(deviceId, request) {
  try {
    return await ask(request(deviceId));
  } catch (blocked) {
    if (!deviceId || blocked.why !== "none") throw blocked;
    return ask(request());
  }
}

/** What was chosen in the device check: `{camera, microphone}`, device ids. */
export function chosen() {
  try {
    return JSON.parse(localStorage.getItem(CHOICE) ?? "{}");
  } catch {
    return {};
  }
}

function choose(change) {
  try {
    localStorage.setItem(CHOICE, JSON.stringify({ ...chosen(), ...change }));
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
}

/** The devices that are there; their names are empty until one was allowed. */
export async function list() {
  const all = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  const of = (kind) => all.filter((one) => one.kind === kind && one.deviceId !== "");
  return { cameras: of("videoinput"), microphones: of("audioinput") };
}

/**
 * One's own camera and microphone. `change` is dispatched whenever a track comes or goes.
 */
export class Devices extends EventTarget {
  camera = null;
  microphone = null;
  muted = false;
  /** Why there is no camera although one was wanted. */
  missing = null;
  #facing;
  #closed = false;

  /** `facing` is `environment` for who shows a car, `user` for who shows themselves. */
  constructor(facing) {
    super();
    this.#facing = facing;
  }

  /** Opens both. Without a camera the sound alone will do; without either it throws a `Blocked`. */
  async open({ picture = true } = {}) {
    const { camera, microphone } = chosen();
    this.missing = null;
    try {
      const both = { ...this.#sound(microphone), ...(picture && this.#picture(camera)) };
      this.#take(await ask(both));
    } catch (blocked) {
      if (blocked.why === "refused" || blocked.why === "unsupported") throw blocked;
      if (picture) this.missing = blocked.why;
      // One of the two is missing or in use, or was chosen and is gone: which one shows when they are asked for alone.
      const alone = [askFor(microphone, this.#sound)];
      if (picture) alone.push(askFor(camera, this.#picture));
      const [sound, sight] = await Promise.all(alone.map((one) => one.catch(() => null)));
      if (!sound && !sight) throw blocked;
      if (sight) this.missing = null;
      for (const stream of [sound, sight]) if (stream) this.#take(stream);
    }
  }

  #sound = (deviceId) => ({ audio: { ...SOUND, ...(deviceId && { deviceId: { exact: deviceId } }) } });

  #picture = (deviceId) => {
    const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: { ideal: this.#facing } };
    return { video: { ...PICTURE, ...which } };
  };

  #take(stream) {
    for (const track of stream.getTracks()) {
      // What the browser gives after the end is let go of at once.
      if (this.#closed) track.stop();
      else this.#keep(track);
    }
  }

  #keep(track) {
    const place = track.kind === "video" ? "camera" : "microphone";
    const before = this[place];
    this[place] = track;
    if (place === "microphone") track.enabled = !this.muted;
    before?.stop();
    // A telephone call takes the devices away, pulling a plug too.
    track.addEventListener("ended", () => {
      if (this[place] !== track) return;
      this[place] = null;
      this.#changed();
    });
    this.#changed();
  }

  /** Switches the microphone; off it stays open, so that it is back at once. */
  mute(on) {
    this.muted = on;
    if (this.microphone) this.microphone.enabled = !on;
    this.#changed();
  }

  /** Lets go of the camera, so that its light goes out. */
  closeCamera() {
    const before = this.camera;
    this.camera = null;
    before?.stop();
    this.#changed();
  }

  /** Opens the camera, this one or the one that was chosen last. */
  async openCamera(deviceId) {
    if (deviceId) choose({ camera: deviceId });
    // Telephones open one camera at a time.
    const before = this.camera;
    this.camera = null;
    before?.stop();
    try {
      this.#take(await askFor(deviceId ?? chosen().camera, this.#picture));
      this.missing = null;
    } catch (blocked) {
      this.#changed();
      throw blocked;
    }
  }

  /** Opens a microphone. */
  async openMicrophone(deviceId) {
    if (deviceId) choose({ microphone: deviceId });
    this.#take(await askFor(deviceId ?? chosen().microphone, this.#sound));
  }

  /** Whether there is another camera to switch to. */
  async canFlip() {
    return (await list()).cameras.length > 1;
  }

  /** From the front camera to the rear one, or to the next of several. */
  async flip() {
    const { cameras } = await list();
    const { deviceId, facingMode } = this.camera?.getSettings() ?? {};
    const towards = facingMode ?? this.#facing;
    if (cameras.length > 1 && !facingMode) {
      const at = cameras.findIndex((one) => one.deviceId === deviceId);
      await this.openCamera(cameras[(at + 1) % cameras.length].deviceId);
      return;
    }
    this.#facing = towards === "environment" ? "user" : "environment";
    choose({ camera: undefined });
    await this.openCamera();
  }

  /** Which way the camera looks: `environment` is the rear one. */
  get facing() {
    return this.camera?.getSettings().facingMode ?? null;
  }

  /** Whether the camera has a light that can be switched. */
  get hasTorch() {
    return this.camera?.getCapabilities?.().torch === true;
  }

  /** Switches the light. */
  async torch(on) {
    await this.camera?.applyConstraints({ advanced: [{ torch: on }] });
  }

  /** Lets go of everything. */
  close() {
    this.#closed = true;
    for (const track of [this.camera, this.microphone]) track?.stop();
    this.camera = this.microphone = null;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** Asks for the screen, a window or a tab; `null` when the person thought better of it. */
export async function screen() {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15 } }, audio: false });
    const [track] = stream.getVideoTracks();
    track.contentHint = "detail";
    return track;
  } catch {
    return null;
  }
}

/** Whether this browser can share a screen; telephones can't. */
export function canShareScreen() {
  return typeof navigator.mediaDevices?.getDisplayMedia === "function";
}
