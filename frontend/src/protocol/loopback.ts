/** Calls carried by HTTP to the loopback server that opened this page. */
import { CallError, failure, type Carrier } from "./call";

const KEY = "chainrule-token";

/** Take the token out of the visible address. */
function token(): string {
  const parts = new URLSearchParams(location.hash.slice(1));
  const given = parts.get("token");
  if (given) {
    sessionStorage.setItem(KEY, given);
    parts.delete("token");
    history.replaceState(null, "", `${location.pathname}#${parts}`);
  }
  return sessionStorage.getItem(KEY) ?? "";
}

export function connect(): Carrier {
  const headers = {
    "Content-Type": "application/json",
    "X-Board-Token": token(),
    "X-Board-Tab": crypto.randomUUID(),
  };
  let count = 0;
  return async (name, args) => {
    count += 1;
    let answer;
    try {
      const response = await fetch("call", {
        method: "POST",
        headers,
        body: JSON.stringify({ call: name, args, id: count }),
      });
      answer = await response.json();
    } catch {
      throw failure(
        "offline",
        "The board's server does not answer. Start `chainrule board` again and open the new address.",
      );
    }
    if (answer.error) throw new CallError(answer.error);
    return answer.result;
  };
}
