// The REST API: JSON in, JSON out, problems as one kind of error.

const TEXT = {
  network: "We can't reach Pitlane right now. Check your connection and try again.",
  unknown: "Something went wrong on our side. Try again in a moment.",
};

/** What an endpoint refused, or a network fault (status 0). */
export class ApiError extends Error {
  constructor({ status, code, message, errors, retryAfter, checkoutUrl }) {
    super(message);
    this.status = status;
    this.code = code;
    this.errors = errors ?? [];
    this.retryAfter = retryAfter;
    this.checkoutUrl = checkoutUrl;
  }
}

/** Calls an endpoint. Answers `{status, data}`; throws an ApiError for everything from 400 on. */
export async function call(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: body === undefined ? { Accept: "application/json" } : { Accept: "application/json", "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
    });
  } catch {
    throw new ApiError({ status: 0, code: "network", message: TEXT.network });
  }
  const data = await response.json().catch(() => null);
  if (response.ok) return { status: response.status, data };
  throw problem(response.status, data, response.headers.get("Retry-After"));
}

/** An ApiError from a problem document. */
export function problem(status, data, retryAfter) {
  return new ApiError({
    status,
    code: data?.code ?? "unknown",
    message: data?.detail || data?.title || TEXT.unknown,
    errors: data?.errors,
    retryAfter: retryAfter ? Number(retryAfter) : undefined,
    checkoutUrl: data?.checkout_url,
  });
}
