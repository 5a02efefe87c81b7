//! Elements to objects.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::problem::{MAX_DEPTH, duplicate, shorten, too_deep};
use super::scan::{Scanner, Tag};
use super::text::{primitive, unescape};
use super::{Kept, Member, Node, Object, Slot, Value};
use crate::diagnostic::{Diagnostic, FileId, Place};

/// Reads a file, handing over one top level object at a time.
///
/// # Shape
///
/// `text` is decoded and without byte order mark. Objects are dropped as soon as they were handed
/// over, unless something refers to them. The answer are warnings.
///
/// # Errors
///
/// What keeps the file from being read: `not-clixml`, `truncated-file`, `malformed-xml`,
/// `dtd-refused`, `too-deep`. What was handed over before is then not to be trusted.
pub(in crate::import) fn read<'t>(
    file: FileId,
    text: &'t str,
    each: &mut dyn FnMut(&Kept<'t>, &Node<'t>),
) -> Result<Vec<Diagnostic>, Diagnostic> {
    let mut reader = Reader {
        scan: Scanner::new(file, text),
        types: HashMap::new(),
        objects: HashMap::new(),
        referenced: referenced(text),
        slots: HashMap::new(),
        kept: Kept::default(),
        warnings: Vec::new(),
    };
    reader.scan.root()?;
    reader.items(each)?;
    reader.scan.tail()?;
    Ok(reader.finish())
}

/// Ids in `Ref` elements: only what is referred to has to be kept.
fn referenced(text: &str) -> HashSet<&str> {
    let tags = text.split("<Ref").skip(1);
    tags.filter_map(|tag| {
        let tag = tag.split('>').next()?;
        let value = tag.split("RefId").nth(1)?.trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        value.get(1..)?.split(quote).next()
    })
    .collect()
}

/// Names of a type and its base types.
type TypeNames<'t> = Rc<[Cow<'t, str>]>;

struct Reader<'t> {
    scan: Scanner<'t>,
    /// Lists of type names by id, and where they stand.
    types: HashMap<Cow<'t, str>, (TypeNames<'t>, Place)>,
    /// Where each object's id was given.
    objects: HashMap<Cow<'t, str>, Place>,
    referenced: HashSet<&'t str>,
    slots: HashMap<Cow<'t, str>, usize>,
    kept: Kept<'t>,
    /// The first of each kind, and how many more there are.
    warnings: Vec<(Diagnostic, usize)>,
}

impl<'t> Reader<'t> {
    fn items(&mut self, each: &mut dyn FnMut(&Kept<'t>, &Node<'t>)) -> Result<(), Diagnostic> {
        let root = Tag { name: "Objs", place: self.scan.here(), member: None, id: None };
        while let Some(tag) = self.scan.child(&root)? {
            let node = self.node(&tag, 0)?;
            each(&self.kept, &node);
        }
        Ok(())
    }

    fn finish(mut self) -> Vec<Diagnostic> {
        let ahead: Vec<Place> = self
            .kept
            .slots
            .iter()
            .filter_map(|slot| match slot {
                Slot::Ahead(place) => Some(*place),
                _ => None,
            })
            .collect();
        for place in ahead {
            let message = "this refers to an object that is not in the file";
            self.warn(Diagnostic::warning("unresolved-reference", message).at(place));
        }
        self.warnings
            .into_iter()
            .map(|(warning, more)| match more {
                0 => warning,
                _ => warning.help(format!("{more} more like it in this file")),
            })
            .collect()
    }

    fn warn(&mut self, warning: Diagnostic) {
        match self.warnings.iter_mut().find(|(known, _)| known.code == warning.code) {
            Some((_, more)) => *more += 1,
            None => self.warnings.push((warning, 0)),
        }
    }

    /// The value that begins with `tag`, whose end is read too.
    fn node(&mut self, tag: &Tag<'t>, depth: usize) -> Result<Node<'t>, Diagnostic> {
        let value = match tag.name {
            "Obj" => {
                let object = self.object(tag, depth)?;
                return Ok(Node { place: tag.place, value: Value::Object(object) });
            }
            "Ref" => {
                self.scan.skip(tag)?;
                self.reference(tag)
            }
            "Nil" => {
                self.scan.skip(tag)?;
                Value::Nil
            }
            // Binary data is most of an Exchange export, and decoding it would be a hole; a secret is
            // nobody's business.
            "BA" | "SS" | "PR" => {
                self.scan.skip(tag)?;
                Value::Unread
            }
            name if is_primitive(name) => self.primitive(tag)?,
            _ => {
                self.unknown(tag)?;
                Value::Unread
            }
        };
        Ok(Node { place: self.scan.whole(tag), value })
    }

    fn primitive(&mut self, tag: &Tag<'t>) -> Result<Value<'t>, Diagnostic> {
        let text = self.scan.content(tag)?;
        let value = primitive(tag.name, text).unwrap_or(Value::Unread);
        if matches!(value, Value::Unread) {
            let message = format!("this is no value of type `{}`; it is left out", tag.name);
            self.warn(Diagnostic::warning("malformed-value", message).at(self.scan.whole(tag)));
        }
        Ok(value)
    }

    fn unknown(&mut self, tag: &Tag<'t>) -> Result<(), Diagnostic> {
        let message =
            format!("`{}` is no element of the format; it is left out", shorten(tag.name));
        self.warn(Diagnostic::warning("unknown-element", message).at(tag.place));
        self.scan.skip(tag)
    }

    fn reference(&mut self, tag: &Tag<'t>) -> Value<'t> {
        let Some(id) = tag.id.clone() else { return Value::Unread };
        let next = self.kept.slots.len();
        let slot = *self.slots.entry(id).or_insert(next);
        if slot == next {
            self.kept.slots.push(Slot::Ahead(tag.place));
        }
        Value::Ref(slot)
    }

    /// The slot of an object that begins, if anything refers to it.
    fn reserve(&mut self, tag: &Tag<'t>) -> Option<usize> {
        let id = tag.id.clone()?;
        if let Some(known) = self.objects.insert(id.clone(), tag.place) {
            let problem = duplicate(&id, tag.place, known);
            self.warn(problem);
        }
        if !self.referenced.contains(&*id) {
            return None;
        }
        let awaited = self.slots.get(&id).copied();
        let slot =
            awaited.filter(|slot| matches!(self.kept.slots.get(*slot), Some(Slot::Ahead(_))));
        let slot = slot.unwrap_or_else(|| {
            self.kept.slots.push(Slot::Open);
            self.kept.slots.len().saturating_sub(1)
        });
        self.fill(slot, Slot::Open);
        self.slots.insert(id, slot);
        Some(slot)
    }

    fn fill(&mut self, slot: usize, with: Slot<'t>) {
        if let Some(slot) = self.kept.slots.get_mut(slot) {
            *slot = with;
        }
    }

    fn object(&mut self, tag: &Tag<'t>, depth: usize) -> Result<Rc<Object<'t>>, Diagnostic> {
        if depth >= MAX_DEPTH {
            return Err(too_deep().at(tag.place));
        }
        let slot = self.reserve(tag);
        let mut object = Object::default();
        while let Some(part) = self.scan.child(tag)? {
            self.part(&part, &mut object, depth + 1)?;
        }
        let object = Rc::new(object);
        if let Some(slot) = slot {
            self.fill(slot, Slot::Done(object.clone()));
        }
        Ok(object)
    }

    /// One of the elements that an object is made of.
    fn part(
        &mut self,
        tag: &Tag<'t>,
        object: &mut Object<'t>,
        depth: usize,
    ) -> Result<(), Diagnostic> {
        match tag.name {
            "TN" => object.types = self.type_names(tag)?,
            "TNRef" => {
                self.scan.skip(tag)?;
                object.types = self.known_types(tag);
            }
            "ToString" => object.text = Some(unescape(self.scan.content(tag)?)),
            "Props" => self.members(tag, &mut object.adapted, depth)?,
            "MS" => self.members(tag, &mut object.extended, depth)?,
            "LST" | "STK" | "QUE" | "IE" => {
                let items = object.items.get_or_insert_default();
                while let Some(item) = self.scan.child(tag)? {
                    items.push(self.node(&item, depth)?);
                }
            }
            "DCT" => {
                while let Some(entry) = self.scan.child(tag)? {
                    self.entry(&entry, object, depth)?;
                }
            }
            name if is_primitive(name) || matches!(name, "Nil" | "BA" | "SS" | "PR") => {
                object.primitive = Some(Box::new(self.node(tag, depth)?));
            }
            _ => self.unknown(tag)?,
        }
        Ok(())
    }

    fn members(
        &mut self,
        open: &Tag<'t>,
        members: &mut Vec<Member<'t>>,
        depth: usize,
    ) -> Result<(), Diagnostic> {
        while let Some(tag) = self.scan.child(open)? {
            let node = self.node(&tag, depth)?;
            match tag.member {
                Some(name) if name == "SerializationData" => {}
                Some(name) => members.push(Member { name, node }),
                None => {
                    let message =
                        format!("this `{}` has no name; it is left out", shorten(tag.name));
                    self.warn(Diagnostic::warning("nameless-member", message).at(tag.place));
                }
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        open: &Tag<'t>,
        object: &mut Object<'t>,
        depth: usize,
    ) -> Result<(), Diagnostic> {
        if open.name != "En" {
            return self.unknown(open);
        }
        let (mut key, mut value) = (None, None);
        while let Some(tag) = self.scan.child(open)? {
            let node = self.node(&tag, depth)?;
            match tag.member.as_deref() {
                Some("Key") => key = Some(node),
                Some("Value") => value = Some(node),
                _ => {}
            }
        }
        if let (Some(key), Some(value)) = (key, value) {
            object.entries.push((key, value));
        } else {
            let message = "an entry needs a `Key` and a `Value`; it is left out";
            self.warn(Diagnostic::warning("nameless-member", message).at(open.place));
        }
        Ok(())
    }

    fn type_names(&mut self, open: &Tag<'t>) -> Result<TypeNames<'t>, Diagnostic> {
        let mut names = Vec::new();
        while let Some(tag) = self.scan.child(open)? {
            if tag.name == "T" {
                names.push(unescape(self.scan.content(&tag)?));
            } else {
                self.unknown(&tag)?;
            }
        }
        let names: TypeNames<'t> = names.into();
        if let Some(id) = open.id.clone() {
            let known = self.types.insert(id.clone(), (names.clone(), open.place));
            if let Some((_, known)) = known {
                self.warn(duplicate(&id, open.place, known));
            }
        }
        Ok(names)
    }

    fn known_types(&mut self, tag: &Tag<'t>) -> TypeNames<'t> {
        let known = tag.id.as_ref().and_then(|id| self.types.get(id));
        if let Some((names, _)) = known {
            return names.clone();
        }
        let message = "this refers to type names that do not stand before it";
        self.warn(Diagnostic::warning("unresolved-reference", message).at(tag.place));
        Rc::default()
    }
}

fn is_primitive(name: &str) -> bool {
    matches!(
        name,
        "S" | "C"
            | "B"
            | "By"
            | "SB"
            | "U16"
            | "I16"
            | "U32"
            | "I32"
            | "U64"
            | "I64"
            | "Sg"
            | "Db"
            | "D"
            | "DT"
            | "TS"
            | "G"
            | "URI"
            | "XD"
            | "Version"
            | "SBK"
    )
}
