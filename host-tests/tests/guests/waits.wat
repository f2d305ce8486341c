;; Configuration 1: asks for the key "go" until somebody has written it. Configuration 0: writes it.
(data (i32.const 0) "go")
(func (export "proxy_on_configure") (param i32 i32) (result i32)
  (call $keep_config)
  (i32.const 1))
(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
  (if (i32.eqz (call $digit (i32.const 0)))
    (then (return (call $set_shared (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 2) (i32.const 0)))))
  (loop $ask
    (br_if $ask (call $get_shared (i32.const 0) (i32.const 2) (i32.const 4096) (i32.const 4100) (i32.const 4104))))
  (i32.const 0))
