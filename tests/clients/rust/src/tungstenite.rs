use serde_json::{json, Value};
use std::{env, thread, time};
use tungstenite::client::IntoClientRequest;
use tungstenite::{connect, Error, Message};

fn say(event: Value) {
    println!("{event}");
}

/// The newest cursor of a frame of keywire.v1: that of its last line. It parses no message, as
/// serde_json refuses numbers such as 1e400.
fn cursor_of(frame: &str) -> String {
    let line = frame.lines().last().unwrap();
    let (_, rest) = line.split_once(r#""cursor":""#).unwrap();
    rest.split('"').next().unwrap().to_string()
}

/// How long to wait after so many failures in a row (docs/protocol.md).
fn backoff(failures: u32) {
    let bound = 20_000.min(500 << failures.min(6));
    let nanos = time::SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
    thread::sleep(time::Duration::from_millis(u64::from(nanos / 1_000) % bound));
}

fn main() {
    let url = env::var("KEYWIRE_URL").unwrap().replacen("http", "ws", 1) + "/websocket";
    let key = env::var("KEYWIRE_KEY").unwrap();
    let mut cursor = env::var("KEYWIRE_AFTER").unwrap_or_default();
    let mut failures = 0;
    loop {
        let mut request = url.as_str().into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("Authorization", format!("Bearer {key}").parse().unwrap());
        headers.insert("Last-Event-ID", cursor.parse().unwrap());
        headers.insert("Sec-WebSocket-Protocol", "keywire.v1".parse().unwrap());
        match connect(request) {
            Err(Error::Http(response)) => {
                say(json!({ "is": "refused", "status": response.status().as_u16() }));
                if response.status() == 403 {
                    return;
                }
            }
            Err(error) => say(json!({ "is": "error", "message": error.to_string() })),
            Ok((mut socket, _)) => {
                failures = 0;
                say(json!({ "is": "open" }));
                loop {
                    match socket.read() {
                        Ok(Message::Text(frame)) => {
                            cursor = cursor_of(&frame);
                            say(json!({ "is": "frame", "text": frame.as_str() }));
                        }
                        Ok(Message::Close(Some(frame))) => {
                            let code = u16::from(frame.code);
                            say(json!({ "is": "closed", "code": code }));
                            if code == 4403 {
                                return;
                            }
                        }
                        Ok(_) => {} // it answers pings by itself
                        Err(error) => {
                            say(json!({ "is": "closed", "message": error.to_string() }));
                            break;
                        }
                    }
                }
            }
        }
        backoff(failures);
        failures += 1;
    }
}
