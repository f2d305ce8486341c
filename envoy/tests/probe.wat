;; A probe plugin, Proxy-Wasm ABI 0.2.1: the least that shows how this Envoy treats the things that Weir relies on.
;; Configuration beginning with "bad" is refused. It holds the request head and body to the end of the stream,
;; and as late as in on_log it sets the filter state `weir.decision` to {"policy":<configuration>} and counts.
(module
  (import "env" "proxy_log" (func $log (param $level i32) (param $text i32) (param $length i32) (result i32)))
  (import "env" "proxy_get_buffer_bytes" (func $get_buffer
    (param $type i32) (param $start i32) (param $length i32) (param $pointer_out i32) (param $length_out i32) (result i32)))
  (import "env" "proxy_set_property" (func $set_property
    (param $path i32) (param $path_length i32) (param $value i32) (param $value_length i32) (result i32)))
  (import "env" "proxy_define_metric" (func $define_metric
    (param $type i32) (param $name i32) (param $length i32) (param $id_out i32) (result i32)))
  (import "env" "proxy_increment_metric" (func $increment (param $id i32) (param $by i64) (result i32)))
  (import "env" "proxy_record_metric" (func $record (param $id i32) (param $value i64) (result i32)))
  (memory (export "memory") 64)

  (global $free (mut i32) (i32.const 2097152))
  (global $exchanges (mut i32) (i32.const 0))
  (global $tokens (mut i32) (i32.const 0))
  (global $decision_length (mut i32) (i32.const 0))

  (data (i32.const 1024) "weir.decision")
  (data (i32.const 1056) "the probe refuses this configuration")
  (data (i32.const 2048) "action=.=allow;.;endpoint=.=openai.chat;.;tier=.=a/b:c-d_e.f;.;weir_exchanges")
  (data (i32.const 2200) "direction=.=input;.;weir_used_tokens")
  (data (i32.const 4096) "{\"policy\":")

  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (local $pointer i32)
    (local.set $pointer (global.get $free))
    (global.set $free (i32.add (global.get $free) (local.get $size)))
    (local.get $pointer))
  (func (export "proxy_on_context_create") (param $id i32) (param $parent i32))
  (func (export "proxy_on_vm_start") (param $root i32) (param $length i32) (result i32) (i32.const 1))

  (func (export "proxy_on_configure") (param $root i32) (param $length i32) (result i32)
    (local $configuration i32)
    (drop (call $get_buffer (i32.const 7) (i32.const 0) (local.get $length) (i32.const 16) (i32.const 20)))
    (local.set $configuration (i32.load (i32.const 16)))
    (if (i32.eq (i32.and (i32.load (local.get $configuration)) (i32.const 0xffffff)) (i32.const 0x646162)) ;; "bad"
      (then
        (drop (call $log (i32.const 4) (i32.const 1056) (i32.const 36)))
        (return (i32.const 0))))
    (memory.copy (i32.const 4106) (local.get $configuration) (local.get $length))
    (i32.store8 (i32.add (i32.const 4106) (local.get $length)) (i32.const 0x7d)) ;; "}"
    (global.set $decision_length (i32.add (local.get $length) (i32.const 11)))
    (drop (call $define_metric (i32.const 0) (i32.const 2048) (i32.const 77) (i32.const 32)))
    (global.set $exchanges (i32.load (i32.const 32)))
    (drop (call $define_metric (i32.const 2) (i32.const 2200) (i32.const 36) (i32.const 32)))
    (global.set $tokens (i32.load (i32.const 32)))
    (i32.const 1))

  ;; Pause until the end of the stream.
  (func (export "proxy_on_request_headers") (param $id i32) (param $headers i32) (param $end i32) (result i32)
    (i32.eqz (local.get $end)))
  (func (export "proxy_on_request_body") (param $id i32) (param $size i32) (param $end i32) (result i32)
    (i32.eqz (local.get $end)))

  (func (export "proxy_on_log") (param $id i32)
    (drop (call $increment (global.get $exchanges) (i64.const 1)))
    (drop (call $record (global.get $tokens) (i64.const 100)))
    (drop (call $set_property
      (i32.const 1024) (i32.const 13) (i32.const 4096) (global.get $decision_length))))
)
