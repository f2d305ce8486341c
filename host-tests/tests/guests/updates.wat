;; Adds one to counters key-0, key-1, ... in turn. Configuration, digit by digit: 1 with compare-and-swap
;; and 0 without, how many keys, and updates in each request (two digits).
(data (i32.const 0) "key-0")
(func (export "proxy_on_configure") (param i32 i32) (result i32)
  (call $keep_config)
  (i32.const 1))
;; One try; whether somebody else was first.
(func $try (result i32)
  (i64.store (i32.const 4112) (i64.const 0))
  (i32.store (i32.const 4104) (i32.const 0xffffffff))
  (if (i32.eqz (call $get_shared (i32.const 0) (i32.const 5) (i32.const 4096) (i32.const 4100) (i32.const 4104)))
    (then (i64.store (i32.const 4112) (i64.load (i32.load (i32.const 4096))))))
  (i64.store (i32.const 4112) (i64.add (i64.load (i32.const 4112)) (i64.const 1)))
  (i32.eq (i32.const 8) (call $set_shared (i32.const 0) (i32.const 5) (i32.const 4112) (i32.const 8)
    (i32.mul (call $digit (i32.const 0)) (i32.load (i32.const 4104))))))
(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
  (local $left i32)
  (local.set $left (i32.add (i32.mul (call $digit (i32.const 2)) (i32.const 10)) (call $digit (i32.const 3))))
  (loop $update
    (i32.store8 (i32.const 4) (i32.add (i32.const 48) (i32.rem_u (local.get $left) (call $digit (i32.const 1)))))
    (loop $again (br_if $again (call $try)))
    (br_if $update (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
  (i32.const 0))
