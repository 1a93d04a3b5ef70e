// Questions to the till. What it refuses comes as an Error with its own words; a session that has ended as `LoggedOut`.

export const LANGUAGE = "en"; // of the technician's pages, whatever the browser speaks

export class LoggedOut extends Error {}

export async function ask(method, address, body) {
  const sent = { method, cache: "no-store", headers: { "Accept-Language": LANGUAGE } };
  if (body !== undefined) {
    sent.body = JSON.stringify(body);
    sent.headers["Content-Type"] = "application/json";
  }
  const answer = await fetch(address, sent);
  const text = await answer.text();
  const value = text ? JSON.parse(text) : null;
  if (answer.ok) return value;
  if (answer.status === 401) throw new LoggedOut(value?.detail ?? "");
  throw new Error(value ? `${value.title}: ${value.detail}` : `The till answers ${answer.status}.`);
}
