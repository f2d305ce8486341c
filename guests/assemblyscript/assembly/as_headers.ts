// Logs the headers of a request, and changes headers on the way in and out.
export * from "@solo-io/proxy-runtime/proxy";
import {
  Context, FilterHeadersStatusValues, LogLevelValues, RootContext, log, registerRootContext, stream_context,
} from "@solo-io/proxy-runtime";

class Root extends RootContext {
  createContext(context_id: u32): Context {
    return new Headers(context_id, this);
  }
}

class Headers extends Context {
  onRequestHeaders(count: u32, ends: bool): FilterHeadersStatusValues {
    const headers = stream_context.headers.request;
    const pairs = headers.get_headers();
    for (let i = 0; i < pairs.length; i++) {
      this.say("<- " + String.UTF8.decode(pairs[i].key) + ": " + String.UTF8.decode(pairs[i].value));
    }
    headers.add("x-seen-by", "as_headers");
    headers.replace("user-agent", "a guest");
    headers.remove("x-secret");
    return FilterHeadersStatusValues.Continue;
  }
  onResponseHeaders(count: u32, ends: bool): FilterHeadersStatusValues {
    const headers = stream_context.headers.response;
    this.say("-> " + headers.get(":status"));
    headers.add("x-guest", "as_headers");
    return FilterHeadersStatusValues.Continue;
  }
  onLog(): void {
    this.say("is done");
  }
  private say(text: string): void {
    log(LogLevelValues.info, "#" + this.context_id.toString() + " " + text);
  }
}

// Hosts look a root up by the plugin's root id.
registerRootContext((context_id: u32) => new Root(context_id), "");
