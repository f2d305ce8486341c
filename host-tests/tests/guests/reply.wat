;; Sends two local replies in the phase that the configuration names: 0 request headers, 1 request body,
;; 2 response headers, 3 response body. Always answers Continue. Marks response headers.
(data (i32.const 0) "my details")
(data (i32.const 16) "no entry")
(data (i32.const 32) "\01\00\00\00\03\00\00\00\01\00\00\00X-R\001\00")
(data (i32.const 64) "x-own")
(data (i32.const 80) "1")

(func $refuse (param $phase i32)
  (if (i32.eq (local.get $phase) (call $digit (i32.const 0)))
    (then
      (call $say (i32.const 0x61) (call $reply (i32.const 401) (i32.const 0) (i32.const 10)
        (i32.const 16) (i32.const 8) (i32.const 32) (i32.const 18) (i32.const -1)))
      (call $say (i32.const 0x62) (call $reply (i32.const 500) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1))))))

(func (export "proxy_on_configure") (param i32 i32) (result i32) (call $keep_config) (i32.const 1))
(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
  (call $refuse (i32.const 0)) (i32.const 0))
(func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
  (call $refuse (i32.const 1)) (i32.const 0))
(func (export "proxy_on_response_headers") (param $id i32) (param $count i32) (param $ends i32) (result i32)
  (call $say2 (i32.const 0x72) (local.get $count) (local.get $ends))
  (drop (call $add_header (i32.const 2) (i32.const 64) (i32.const 5) (i32.const 80) (i32.const 1)))
  (call $refuse (i32.const 2)) (i32.const 0))
(func (export "proxy_on_response_body") (param $id i32) (param $size i32) (param $ends i32) (result i32)
  (call $say2 (i32.const 0x73) (local.get $size) (local.get $ends))
  (call $refuse (i32.const 3)) (i32.const 0))
