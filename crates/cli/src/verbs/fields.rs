//! `ww fields [LAYER]`: the reference of any layer.

use render::{Catalogue, Lang};

use crate::command::Options;
use crate::failure::{Exit, Failure};
use crate::output::Output;

pub(crate) fn run(options: &Options, out: &Output) -> Result<Exit, Failure> {
    let words = options.text_words()?;
    let catalogue = Catalogue::get(Lang::En);
    let layers: Vec<&wire::HeaderDesc> = match words.as_slice() {
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
        let failure = Failure::usage("layer-unknown", format!("there is no layer `{}`", render::escape(name)));
        match crate::suggest::nearest(name, wire::LAYERS.iter().map(|layer| layer.key)) {
            Some(near) => failure.row("did you mean", format!("ww fields {near}")),
            None => failure.row("layers", wire::LAYERS.iter().map(|layer| layer.key).collect::<Vec<_>>().join(" ")),
        }
    })
}
