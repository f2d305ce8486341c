;; Logs a random number, then writes its environment to standard error.
(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
  (drop (call $random (i32.const 4096) (i32.const 4)))
  (call $say (i32.const 0x61) (i32.load (i32.const 4096)))
  (drop (call $environ_sizes (i32.const 4096) (i32.const 4116)))
  (drop (call $environ (i32.const 4104) (i32.const 4352)))
  (i32.store (i32.const 4112) (i32.load (i32.const 4104)))
  (drop (call $fd_write (i32.const 2) (i32.const 4112) (i32.const 1) (i32.const 4120)))
  (i32.const 0))
