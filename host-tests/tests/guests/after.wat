;; Asks for something and then traps. x-do: `reply` or `close` in request headers, `pause` for a stream that the next
;; tick continues.
(data (i32.const 0) "x-do")
(data (i32.const 16) "said before")
(global $stream (mut i32) (i32.const 0))
(func (export "proxy_on_vm_start") (param $id i32) (param $size i32) (result i32)
  (drop (call $set_tick_period (i32.const 400)))
  (i32.const 1))
(func (export "proxy_on_tick") (param $id i32)
  (if (global.get $stream)
    (then
      (drop (call $set_context (global.get $stream)))
      (drop (call $continue_stream (i32.const 0)))
      unreachable)))
(func (export "proxy_on_request_headers") (param $id i32) (param $count i32) (param $ends i32) (result i32)
  (local $do i32)
  (if (i32.eqz (call $get_header (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 4096) (i32.const 4100)))
    (then (local.set $do (i32.load8_u (i32.load (i32.const 4096))))))
  (if (i32.eq (local.get $do) (i32.const 0x70)) ;; p
    (then (global.set $stream (local.get $id)) (return (i32.const 1))))
  (if (i32.eq (local.get $do) (i32.const 0x72)) ;; r
    (then
      (drop (call $reply (i32.const 418) (i32.const 16) (i32.const 11) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const -1)))
      unreachable))
  (if (i32.eq (local.get $do) (i32.const 0x63)) ;; c
    (then (drop (call $close_stream (i32.const 0))) unreachable))
  (i32.const 0))
