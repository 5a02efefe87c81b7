//! The tokens of an expression that a mutation may change.

use std::ops::Range;

/// A token, in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) at: Range<usize>,
    pub(super) text: String,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `&&`, `==`, `!` and so on.
    Sign,
    /// A number.
    Number,
    /// A name or word.
    Word,
}

/// Signs that can be changed, the longer ones first.
const SIGNS: [&str; 9] = ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "!"];

/// The tokens; text literals are passed over, but for what `${...}` in back-ticks computes.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut position = 0;
    while let Some(c) = chars.get(position) {
        let end = match c {
            '"' | '`' => literal(&chars, position),
            c if c.is_ascii_digit() => {
                let end = run(&chars, position, |c| c.is_ascii_alphanumeric() || "._".contains(c));
                push(&mut tokens, Kind::Number, &chars, position..end);
                end
            }
            c if c.is_alphabetic() || *c == '_' => {
                let end = run(&chars, position, |c| c.is_alphanumeric() || c == '_');
                push(&mut tokens, Kind::Word, &chars, position..end);
                end
            }
            _ => {
                let rest: String = chars.iter().skip(position).take(2).collect();
                match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                    Some(sign) => {
                        let end = position + sign.chars().count();
                        push(&mut tokens, Kind::Sign, &chars, position..end);
                        end
                    }
                    None => position + 1,
                }
            }
        };
        position = end;
    }
    tokens
}

fn push(tokens: &mut Vec<Token>, kind: Kind, chars: &[char], at: Range<usize>) {
    let text = chars.get(at.clone()).unwrap_or_default().iter().collect();
    tokens.push(Token { kind, at, text });
}

fn run(chars: &[char], start: usize, fits: impl Fn(char) -> bool) -> usize {
    start + chars.iter().skip(start).take_while(|c| fits(**c)).count()
}

/// One past the closing quote.
fn literal(chars: &[char], start: usize) -> usize {
    let quote = chars.get(start).copied().unwrap_or('"');
    let mut position = start + 1;
    while let Some(c) = chars.get(position) {
        match c {
            '\\' => position += 1,
            c if *c == quote => return position + 1,
            _ => {}
        }
        position += 1;
    }
    chars.len()
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[test]
    fn signs_numbers_and_words_are_found_and_text_is_not() {
        let text = "a.b >= 10.5 && !(\"x && \\\" 1\" == c) || list.any(|x| x != 2)";
        let said: Vec<String> = tokens(text).into_iter().map(|token| token.text).collect();
        assert_eq!(
            said,
            [
                "a", "b", ">=", "10.5", "&&", "!", "==", "c", "||", "list", "any", "x", "x", "!=",
                "2"
            ]
        );
    }
}
