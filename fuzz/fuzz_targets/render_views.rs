//! Whatever the bytes, nothing but printable characters, line breaks and our own colours is drawn.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wirewright_inspect::{First, dissect};
use wirewright_render::{Catalogue, Detail, Lang, Style, dissection_json, draw_frame, hex, line, sum, tree};

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (how, width, bytes) = input;
    let style = Style { color: how & 1 != 0, unicode: how & 2 != 0, width: usize::from(width) };
    let frame = dissect(bytes, if how & 4 != 0 { First::Ip } else { First::Ethernet });
    // Korean is spoken only where its letters can be shown.
    let words = Catalogue::get(if how & 10 == 10 { Lang::Ko } else { Lang::En });
    let views = [
        line(&frame, &style),
        tree(&frame, &style, words),
        hex(&frame, &style),
        draw_frame(&frame, &style, words),
        sum(&frame, Detail::Steps, &style, words),
        dissection_json(&frame).to_string(),
    ];
    for view in &views {
        let mut rest = view.as_str();
        while let Some(at) = rest.find(|char: char| char.is_control() && char != '\n') {
            let code = rest[at..].strip_prefix("\x1b[").expect("no control character but those of colours");
            let end = code.find('m').expect("the code ends");
            assert!(style.color && code[..end].chars().all(|char| char.is_ascii_digit() || char == ';'));
            rest = &code[end..];
        }
        assert!(style.unicode || view.is_ascii());
    }
});
