//! Which body a layer has: the one that its type chooses, and of several forms of a message the shortest with all that is set.
//!
//! Forms have the same rows in the same order, so that a place means the same in each of them; a form lacks some.

use alloc::vec;
use alloc::vec::Vec;

use wirewright_wire::{FieldDesc, Form, HeaderDesc, Variant};

use crate::packet::{Layer, Place, Setting, has_fixed_default, write_defaults};

impl Layer {
    /// Of several forms of a message the one that has every field; else the body itself.
    pub(crate) fn whole_variant(&self) -> Option<&'static Variant> {
        self.variant.map(|variant| whole_of(self.desc, variant))
    }

    pub(crate) fn has_forms(&self) -> bool {
        self.variant.is_some_and(|variant| variant.form != Form::Only)
    }

    pub(crate) fn choose_variant(&mut self) {
        let desc = self.desc;
        if desc.variants.is_empty() {
            return;
        }
        let variant = match desc.chooser {
            Some(_) => desc.variants.iter().find(|variant| variant.form == Form::Whole),
            None => desc.fields.iter().position(|field| field.selects_next).and_then(|row| {
                let value = match self.fields[row] {
                    Setting::Exactly(value) => value,
                    _ => desc.fields[row].default,
                };
                desc.variant_for(value)
            }),
        };
        if self.whole_variant().map(core::ptr::from_ref) != variant.map(core::ptr::from_ref) {
            self.body = vec![Setting::Auto; variant.map_or(0, |v| v.body.fields.len())];
            self.take_variant(variant);
        }
        self.settle_form();
    }

    /// Of several forms of a message, takes the shortest that has all that is set; what is set stays.
    pub(crate) fn settle_form(&mut self) {
        let Some(whole) = self.whole_variant().filter(|_| self.has_forms()) else { return };
        let desc = self.desc;
        let has_all = |form: &&&'static Variant| {
            let rows = form.body.fields.iter().zip(&self.body);
            let options = self.options.is_empty() || form.body.options.is_some() || whole.body.options.is_none();
            options && rows.clone().all(|(field, set)| field.is_there() || !self.is_wanted(field, *set))
        };
        let of_it = desc.variants.iter().rev().filter(|form| core::ptr::eq(whole_of(desc, form), whole));
        let form = of_it.clone().find(|form| has_all(&form)).unwrap_or(whole);
        self.take_variant(Some(form));
    }

    /// Whether a field of the body has to be there: it is set, or the bit that announces it.
    fn is_wanted(&self, field: &FieldDesc, set: Setting) -> bool {
        let announced = || {
            let flag = self.desc.fields.iter().position(|row| row.key == field.flag);
            flag.is_some_and(|row| matches!(self.fields[row], Setting::Exactly(value) if value != 0))
        };
        set != Setting::Auto || !field.flag.is_empty() && announced()
    }

    /// Lays the body out anew.
    fn take_variant(&mut self, variant: Option<&'static Variant>) {
        self.variant = variant;
        self.template.truncate(self.desc.len);
        for (field, setting) in self.desc.fields.iter().zip(&self.fields) {
            if *setting == Setting::Auto && has_fixed_default(field) {
                let _fits = field.write(&mut self.template, default_in(variant, field));
            }
        }
        self.body_open = 0;
        let Some(variant) = variant else { return };
        self.template.resize(self.desc.len + variant.body.len, 0);
        let bytes = &mut self.template[self.desc.len..];
        self.body_open = write_defaults(variant.body.fields, bytes);
        for (row, (field, setting)) in variant.body.fields.iter().zip(&self.body).enumerate() {
            match *setting {
                Setting::Auto => {}
                Setting::Exactly(value) => {
                    let _there = field.write(bytes, value);
                    self.body_open &= !(1 << row);
                }
                _ => self.body_open |= 1 << row,
            }
        }
    }

    /// Makes these fields automatic, but for those without which the message would have another form.
    pub(crate) fn relax(&mut self, places: &[Place]) {
        let form = self.variant.map(core::ptr::from_ref);
        let before: Vec<Setting> = places.iter().map(|place| self.setting(*place)).collect();
        places.iter().for_each(|place| self.set_at(*place, Setting::Auto));
        if self.variant.map(core::ptr::from_ref) == form {
            return;
        }
        // A bit of the header says it best, then a field that is more than a bit.
        let mut back: Vec<(Place, Setting)> = places.iter().copied().zip(before).collect();
        back.sort_by_key(|(place, _)| {
            let field = self.field(*place);
            (place.part, field.is_some_and(|field| field.reserved), field.is_some_and(|field| field.bits == 1))
        });
        for (place, setting) in back {
            let now = self.variant.map(core::ptr::from_ref);
            if now == form {
                break;
            }
            self.set_at(place, setting);
            if self.variant.map(core::ptr::from_ref) == now {
                self.set_at(place, Setting::Auto);
            }
        }
    }
}

/// The default of a field of a layer with this body.
pub(crate) fn default_in(variant: Option<&Variant>, field: &FieldDesc) -> u128 {
    match variant.and_then(|variant| variant.preset) {
        Some((key, value)) if key == field.key => value,
        _ => field.default,
    }
}

/// Of several forms of a message the one that has every field; else the body itself.
fn whole_of(desc: &'static HeaderDesc, variant: &'static Variant) -> &'static Variant {
    if variant.form != Form::Short {
        return variant;
    }
    let same = |other: &&Variant| {
        let values = desc.chooser.is_some() || other.values == variant.values;
        other.form == Form::Whole && values
    };
    desc.variants.iter().find(same).unwrap_or(variant)
}
