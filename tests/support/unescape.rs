//! Back from what is printed of a name to the name: what README promises, written once more.
#![allow(dead_code, clippy::expect_used, clippy::panic)]

/// The bytes that a printed form stands for. Works on bytes, where the one that escapes works on
/// characters.
pub fn unescaped(mut text: &[u8]) -> Vec<u8> {
    let mut name = Vec::new();
    loop {
        text = match text {
            [] => return name,
            [b'\\', b'x', high, low, rest @ ..] => {
                name.push(number(&[*high, *low]) as u8);
                rest
            }
            [b'\\', b'u', b'{', rest @ ..] => {
                let end = rest.iter().position(|byte| *byte == b'}');
                let (digits, rest) = rest.split_at(end.expect("a brace ends the code"));
                push_utf8(&mut name, number(digits));
                &rest[1..]
            }
            [b'\\', letter, rest @ ..] => {
                name.push(match letter {
                    b'n' => 0x0a,
                    b'r' => 0x0d,
                    b't' => 0x09,
                    b'\\' => b'\\',
                    other => panic!("no escape: \\{}", char::from(*other)),
                });
                rest
            }
            [byte, rest @ ..] => {
                name.push(*byte);
                rest
            }
        };
    }
}

/// A number in lower-case hexadecimal.
fn number(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            other => panic!("no digit: {other}"),
        };
        number * 16 + u32::from(value)
    })
}

/// A character's UTF-8 (RFC 3629, section 3).
fn push_utf8(bytes: &mut Vec<u8>, code: u32) {
    let continued = |shift: u32| 0x80 | (code >> shift & 0x3f) as u8;
    match code {
        0..0x80 => bytes.push(code as u8),
        0x80..0x800 => bytes.extend([0xc0 | (code >> 6) as u8, continued(0)]),
        0x800..0x1_0000 => {
            bytes.extend([0xe0 | (code >> 12) as u8, continued(6), continued(0)]);
        }
        _ => bytes.extend([
            0xf0 | (code >> 18) as u8,
            continued(12),
            continued(6),
            continued(0),
        ]),
    }
}
