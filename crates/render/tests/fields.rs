//! The reference of layers: complete, as text and as JSON.

use wirewright_inspect::wire::{Form, LAYERS, layer};
use wirewright_render::{Catalogue, Lang, Style, fields, fields_json, layers};

fn words() -> &'static Catalogue {
    Catalogue::get(Lang::En)
}

#[test]
fn every_layer_is_listed_and_every_field_of_it_described() {
    let list = layers(&Style::PLAIN);
    for desc in LAYERS {
        assert!(list.contains(desc.title), "{}", desc.key);
        let text = fields(desc, &Style::PLAIN, words());
        assert!(text.is_ascii(), "{}", desc.key);
        let bodies = desc.variants.iter().flat_map(|variant| variant.body.fields);
        for field in desc.fields.iter().chain(bodies) {
            assert!(
                text.lines().any(|line| line.trim_start().starts_with(&format!("{} ", field.key))),
                "{}",
                field.meaning
            );
            assert!(field.shark.is_empty() || text.contains(field.shark), "{}", field.meaning);
        }
        let too_long = text.lines().skip(1).find(|line| line.len() > 80);
        assert_eq!(too_long, None, "{}", desc.key);
    }
}

#[test]
fn tcp_is_described_as_people_look_it_up() {
    let text = fields(layer("tcp").unwrap(), &Style::PLAIN, words());
    assert!(text.starts_with("tcp: Transmission Control Protocol (RFC 9293 section 3.1), 20 bytes\n"), "{text}");
    assert!(text.contains("  win      16  64240                      tcp.window_size_value\n"), "{text}");
    assert!(text.contains("  dport    16  must be given              tcp.dstport\n"), "{text}");
    assert!(text.contains("      words: as in sport\n"), "{text}");
    assert!(text.contains("      2 bytes of value; written mss=1460\n"), "{text}");
}

#[test]
fn the_json_has_every_row_of_every_table() {
    let json = fields_json(LAYERS, words());
    assert_eq!(json["v"], 1);
    for (desc, layer) in LAYERS.iter().zip(json["layers"].as_array().unwrap()) {
        assert_eq!(layer["key"], desc.key);
        assert_eq!(layer["fields"].as_array().unwrap().len(), desc.fields.len());
        // Of several forms of a body the one with every row is told.
        let bodies = desc.variants.iter().filter(|variant| variant.form != Form::Short);
        assert_eq!(layer["bodies"].as_array().unwrap().len(), bodies.clone().count());
        for (row, variant) in layer["bodies"].as_array().unwrap().iter().zip(bodies) {
            assert_eq!(row["fields"].as_array().unwrap().len(), variant.body.fields.len());
        }
        for (row, field) in layer["fields"].as_array().unwrap().iter().zip(desc.fields) {
            assert_eq!((row["key"].as_str(), row["bits"].as_u64()), (Some(field.key), Some(field.bits as u64)));
            assert!(!row["meaning"].as_str().unwrap().is_empty());
        }
    }
    let ip = json["layers"].as_array().unwrap().iter().find(|layer| layer["key"] == "ip").unwrap();
    assert_eq!(ip["fields"][9]["key"], "ttl");
    assert_eq!((ip["fields"][9]["default"].as_str(), ip["fields"][9]["max"].as_str()), (Some("64"), Some("255")));
}
