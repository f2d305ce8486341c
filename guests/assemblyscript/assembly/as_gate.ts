// Answers 403 for the path that its configuration names (`deny PATH`; anything else is refused), and ticks twice.
export * from "@solo-io/proxy-runtime/proxy";
import {
  Context, FilterHeadersStatusValues, GrpcStatusValues, HeaderPair, LogLevelValues, RootContext, log,
  registerRootContext, send_local_response, stream_context,
} from "@solo-io/proxy-runtime";
import { BufferTypeValues, get_buffer_bytes, set_tick_period_milliseconds } from "@solo-io/proxy-runtime/runtime";

const DENY = "deny ";

class Root extends RootContext {
  denied: string = "";
  ticks: u32 = 0;

  onStart(size: usize): bool {
    set_tick_period_milliseconds(100);
    return true;
  }
  // Not the runtime's own: its getConfiguration() has the host write the size to a wrong address.
  onConfigure(size: u32): bool {
    const text = String.UTF8.decode(get_buffer_bytes(BufferTypeValues.PluginConfiguration, 0, size));
    if (!text.startsWith(DENY)) {
      log(LogLevelValues.error, "`" + text + "` denies nothing; write deny PATH");
      return false;
    }
    this.denied = text.substring(DENY.length);
    log(LogLevelValues.info, "denies " + this.denied);
    return true;
  }
  onTick(): void {
    this.ticks += 1;
    log(LogLevelValues.info, "tick " + this.ticks.toString());
    if (this.ticks == 2) {
      set_tick_period_milliseconds(0);
    }
  }
  createContext(context_id: u32): Context {
    return new Gate(context_id, this);
  }
}

class Gate extends Context {
  onRequestHeaders(count: u32, ends: bool): FilterHeadersStatusValues {
    const root = this.root_context as Root;
    if (stream_context.headers.request.get(":path") != root.denied) {
      return FilterHeadersStatusValues.Continue;
    }
    const headers = [new HeaderPair(String.UTF8.encode("x-guest"), String.UTF8.encode("as_gate"))];
    send_local_response(403, "denied by guest", String.UTF8.encode("no\n"), headers, GrpcStatusValues.InvalidCode);
    return FilterHeadersStatusValues.StopIteration;
  }
}

// Hosts look a root up by the plugin's root id.
registerRootContext((context_id: u32) => new Root(context_id), "gate");
