//! An expression that may not be finished, cut into words: what stands before the cursor.

use std::ops::Range;

use crate::expr::template::closing;

/// A word of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// Characters of the text.
    pub(super) at: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Name,
    Number,
    /// Text in double quotes or back-ticks.
    Text,
    /// Text in double quotes that has no end before the cursor.
    OpenText,
    /// A place where nothing can be completed: a comment, or the plain part of a text in back-ticks.
    Blind,
    /// `(`, `[`, `{`, or the `${` of a text in back-ticks that has no end before the cursor.
    Open(char),
    Close(char),
    Dot,
    Comma,
    /// One bar of a closure.
    Bar,
    /// An operator.
    Sign,
}

/// The words before the cursor.
pub(super) struct Scan<'a> {
    pub(super) chars: &'a [char],
    pub(super) tokens: Vec<Token>,
}

/// Whether a character can stand in a name.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl<'a> Scan<'a> {
    /// Cuts `chars` up to `end`.
    pub(super) fn new(chars: &'a [char], end: usize) -> Self {
        let chars = chars.get(..end).unwrap_or(chars);
        let mut scan = Self { chars, tokens: Vec::new() };
        let mut position = 0;
        while let Some(c) = chars.get(position).copied() {
            position = if c.is_whitespace() { position + 1 } else { scan.token(c, position) };
        }
        scan
    }

    fn char(&self, position: usize) -> Option<char> {
        self.chars.get(position).copied()
    }

    /// Adds the word that begins at `start`; the answer is where the next one can begin.
    fn token(&mut self, c: char, start: usize) -> usize {
        let next = self.char(start + 1);
        let (kind, end) = match c {
            '"' => self.text(start),
            '`' => return self.template(start),
            '/' if next == Some('/') => {
                let line = self.chars.iter().skip(start).take_while(|c| **c != '\n').count();
                let end = start + line;
                if end < self.chars.len() {
                    return end + 1;
                }
                (TokenKind::Blind, end)
            }
            '(' | '[' | '{' => (TokenKind::Open(c), start + 1),
            ')' | ']' | '}' => (TokenKind::Close(c), start + 1),
            ',' => (TokenKind::Comma, start + 1),
            '.' => (TokenKind::Dot, start + 1),
            '?' if next == Some('.') => (TokenKind::Dot, start + 2),
            '|' if next != Some('|') => (TokenKind::Bar, start + 1),
            c if c.is_ascii_digit() => (TokenKind::Number, self.number(start)),
            c if is_word(c) => {
                let length = self.chars.iter().skip(start).take_while(|c| is_word(**c)).count();
                (TokenKind::Name, start + length)
            }
            _ => (TokenKind::Sign, start + sign(c, next)),
        };
        self.tokens.push(Token { kind, at: start..end });
        end
    }

    /// A number ends before a dot that no digit follows: `1.` may become a method.
    fn number(&self, start: usize) -> usize {
        let mut end = start;
        while let Some(c) = self.char(end) {
            let fraction = c == '.' && self.char(end + 1).is_some_and(|c| c.is_ascii_digit());
            if !is_word(c) && !fraction {
                break;
            }
            end += 1;
        }
        end
    }

    fn text(&self, start: usize) -> (TokenKind, usize) {
        let mut position = start + 1;
        while let Some(c) = self.char(position) {
            match c {
                '\\' => position += 1,
                '"' => return (TokenKind::Text, position + 1),
                _ => {}
            }
            position += 1;
        }
        (TokenKind::OpenText, self.chars.len())
    }

    /// A text in back-ticks; if the cursor stands in a `${` of it, the words inside follow.
    fn template(&mut self, start: usize) -> usize {
        let mut position = start + 1;
        while let Some(c) = self.char(position) {
            match c {
                '\\' => position += 1,
                '`' => {
                    self.tokens.push(Token { kind: TokenKind::Text, at: start..position + 1 });
                    return position + 1;
                }
                '$' if self.char(position + 1) == Some('{') => {
                    let Some(end) = closing(self.chars, position + 2) else {
                        let at = position..position + 2;
                        self.tokens.push(Token { kind: TokenKind::Open('{'), at });
                        return position + 2;
                    };
                    position = end;
                }
                _ => {}
            }
            position += 1;
        }
        self.tokens.push(Token { kind: TokenKind::Blind, at: start..self.chars.len() });
        self.chars.len()
    }

    pub(super) fn say(&self, token: &Token) -> String {
        self.text_at(&token.at)
    }

    pub(super) fn text_at(&self, at: &Range<usize>) -> String {
        self.chars.get(at.clone()).unwrap_or_default().iter().collect()
    }

    pub(super) fn get(&self, position: Option<usize>) -> Option<&Token> {
        self.tokens.get(position?)
    }

    pub(super) fn kind(&self, position: Option<usize>) -> Option<TokenKind> {
        self.get(position).map(|token| token.kind)
    }

    pub(super) fn is(&self, position: Option<usize>, text: &str) -> bool {
        self.get(position).is_some_and(|token| self.say(token) == text)
    }

    /// Positions of the brackets before word `end` that are still open there, outermost first.
    pub(super) fn open_brackets(&self, end: usize) -> Vec<usize> {
        let mut open = Vec::new();
        for (position, token) in self.tokens.iter().enumerate().take(end) {
            match token.kind {
                TokenKind::Open(_) => open.push(position),
                TokenKind::Close(_) => {
                    open.pop();
                }
                _ => {}
            }
        }
        open
    }

    /// The text of the operand that ends before word `end`: a name or value with the fields, calls
    /// and indices behind it.
    pub(super) fn operand(&self, end: usize) -> Option<String> {
        let start = self.operand_start(end)?;
        let first = self.tokens.get(start)?.at.start;
        let last = self.get(end.checked_sub(1))?.at.end;
        Some(self.text_at(&(first..last)))
    }

    /// Position of the first word of that operand.
    fn operand_start(&self, end: usize) -> Option<usize> {
        let mut start = end;
        loop {
            start = start.checked_sub(1)?;
            match self.tokens.get(start)?.kind {
                TokenKind::Name | TokenKind::Text | TokenKind::Number => {}
                TokenKind::Close(bracket @ (')' | ']')) => {
                    start = self.opening(start)?;
                    let before = start.checked_sub(1);
                    let is_called =
                        self.kind(before) == Some(TokenKind::Name) && !self.is_keyword(before);
                    let is_value = matches!(
                        self.kind(before),
                        Some(TokenKind::Close(')' | ']') | TokenKind::Text)
                    );
                    if bracket == ']' && (is_called || is_value) {
                        continue;
                    }
                    if is_called {
                        start = before?;
                    }
                }
                _ => return None,
            }
            match start.checked_sub(1) {
                Some(dot) if self.kind(Some(dot)) == Some(TokenKind::Dot) => start = dot,
                _ => return Some(start),
            }
        }
    }

    pub(super) fn is_keyword(&self, position: Option<usize>) -> bool {
        ["in", "if", "else"].iter().any(|word| self.is(position, word))
    }

    fn opening(&self, close: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for position in (0..=close).rev() {
            match self.tokens.get(position)?.kind {
                TokenKind::Close(_) => depth += 1,
                TokenKind::Open(_) => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(position);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// Length of an operator.
fn sign(c: char, next: Option<char>) -> usize {
    let pairs = ["==", "!=", "<=", ">=", "&&", "||", "??"];
    let is_pair = next.is_some_and(|next| pairs.contains(&&*String::from_iter([c, next])));
    if is_pair { 2 } else { 1 }
}
