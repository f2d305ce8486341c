;; Adds one to a shared counter with compare-and-swap, as often as it takes.
(data (i32.const 0) "counter")
(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
  (local $status i32)
  (loop $again
    (i64.store (i32.const 4112) (i64.const 0))
    (i32.store (i32.const 4104) (i32.const 0xffffffff))
    (if (i32.eqz (call $get_shared (i32.const 0) (i32.const 7) (i32.const 4096) (i32.const 4100) (i32.const 4104)))
      (then (i64.store (i32.const 4112) (i64.load (i32.load (i32.const 4096))))))
    (i64.store (i32.const 4112) (i64.add (i64.load (i32.const 4112)) (i64.const 1)))
    (local.set $status (call $set_shared (i32.const 0) (i32.const 7) (i32.const 4112) (i32.const 8)
      (i32.load (i32.const 4104))))
    (br_if $again (i32.eq (local.get $status) (i32.const 8))))
  (i32.const 0))
