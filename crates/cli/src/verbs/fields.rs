//! `ww fields [LAYER]`: the reference of any layer.

use crate::command::Options;
use crate::failure::{Exit, Failure, lines_of};
use crate::output::Output;
use crate::speech::{say, words};

pub(crate) fn run(options: &Options, out: &Output) -> Result<Exit, Failure> {
    let names = options.text_words()?;
    let catalogue = words();
    let layers: Vec<&wire::HeaderDesc> = match names.as_slice() {
        [] if out.json => wire::LAYERS.to_vec(),
        [] => {
            out.result(&render::layers(&out.style))?;
            return Ok(Exit::Answered);
        }
        names => names.iter().map(|name| layer(name)).collect::<Result<_, _>>()?,
    };
    if out.json {
        out.json_line(&render::fields_json(&layers, catalogue))?;
    } else {
        for layer in layers {
            out.result(&render::fields(layer, &out.style, catalogue))?;
        }
    }
    Ok(Exit::Answered)
}

fn layer(name: &str) -> Result<&'static wire::HeaderDesc, Failure> {
    let found = wire::LAYERS.iter().find(|layer| layer.key == name);
    found.copied().ok_or_else(|| {
        let failure = Failure::usage("layer-unknown", say("error.layer-unknown", &[("layer", &name)]));
        match crate::suggest::nearest(name, wire::LAYERS.iter().map(|layer| layer.key)) {
            Some(near) => failure.row("did you mean", format!("ww fields {near}")),
            None => failure.row("layers", lines_of(wire::LAYERS.iter().map(|layer| layer.key))),
        }
    })
}
