//! One method of one address.

use scaigate_problem::Code;

use crate::codes;
use crate::schema::Schema;

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Anybody: what is sent is the credential, or none is needed.
    Anybody,
    /// Whoever has a session token, or an access token of ScaiKey.
    Bearer,
    /// ScaiKey, by its signature of the body.
    Signature,
    /// Whoever has `scaiflow_api_token`.
    DevToken,
}

/// Where a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header.
    Header,
}

impl Place {
    /// OpenAPI's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The name.
    pub name: &'static str,
    /// Where it is.
    pub place: Place,
    /// Whether it must be there.
    pub is_required: bool,
    /// What it may be.
    pub schema: Schema,
    /// What it is for.
    pub about: &'static str,
}

/// The body of a request.
#[derive(Clone, Debug)]
pub struct Body {
    /// The content types that are read.
    pub content_types: &'static [&'static str],
    /// Whether it must be there.
    pub is_required: bool,
    /// What it may be.
    pub schema: Schema,
}

/// An answer that is no failure.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// When it is given.
    pub about: &'static str,
    /// The content type, none for an answer without a body; `*/*` where it is another's.
    pub content_type: Option<&'static str>,
    /// The body, where it is JSON.
    pub schema: Option<Schema>,
    /// Headers that it has besides those of every answer.
    pub headers: &'static [&'static str],
}

/// One method of one address.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The method.
    pub method: &'static str,
    /// The address; `{name}` is one segment, and at the end of one with `rest` all that follow.
    pub path: &'static str,
    /// Its name in generated clients.
    pub id: &'static str,
    /// The component that serves it.
    pub component: &'static str,
    /// What it is for, in a few words.
    pub summary: &'static str,
    /// Whatever else there is to say.
    pub about: &'static str,
    /// Who may call.
    pub caller: Caller,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// The body it takes.
    pub body: Option<Body>,
    /// What it answers when nothing fails.
    pub answers: Vec<Answer>,
    /// Every failure that it may answer, once, in the order of the reference.
    pub codes: Vec<Code>,
    /// Whether its last parameter of the path stands for several segments.
    pub rest: bool,
    /// Whether a browser may be shown a page in place of the documented body of a failure.
    pub has_error_page: bool,
    /// Whether it is there without `/api` in front only.
    pub is_page: bool,
}

impl Operation {
    /// What every operation of a component of ours can answer.
    pub(crate) fn new(
        component: &'static str,
        method: &'static str,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Self {
        let mut operation = Self {
            method,
            path,
            id,
            component,
            summary,
            about: "",
            caller: Caller::Anybody,
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            codes: Vec::new(),
            rest: false,
            has_error_page: false,
            is_page: false,
        };
        let names = path.split(['{', '}']).skip(1).step_by(2);
        for name in names {
            let schema = crate::schema::bounded(1, 200);
            // A segment that is no name leads nowhere.
            operation = operation
                .parameter(name, Place::Path, true, schema, "")
                .fails(&[Code::NotFound]);
        }
        operation = operation.fails(codes::EVERY);
        if method == "GET" {
            operation
        } else {
            operation.fails(codes::SENT)
        }
    }

    /// More to say.
    pub(crate) const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// Needs a bearer token, with all that can be wrong with one.
    pub(crate) fn bearer(mut self) -> Self {
        self.caller = Caller::Bearer;
        self.fails(codes::CALLER)
            .fails(codes::SCAIKEY)
            .fails(codes::STORES)
    }

    /// Counts against the caller's rate limit.
    pub(crate) fn limited(self) -> Self {
        self.fails(&[Code::RateLimited])
    }

    /// Is called by another than a bearer.
    pub(crate) const fn caller(mut self, caller: Caller) -> Self {
        self.caller = caller;
        self
    }

    fn parameter(
        mut self,
        name: &'static str,
        place: Place,
        is_required: bool,
        schema: Schema,
        about: &'static str,
    ) -> Self {
        self.parameters.push(Parameter {
            name,
            place,
            is_required,
            schema,
            about,
        });
        self
    }

    /// Takes a parameter of the query, which may be missing.
    pub(crate) fn query(self, name: &'static str, schema: Schema, about: &'static str) -> Self {
        self.fails(&[Code::InvalidRequest])
            .parameter(name, Place::Query, false, schema, about)
    }

    /// Takes a header.
    pub(crate) fn header(self, name: &'static str, required: bool, about: &'static str) -> Self {
        self.parameter(name, Place::Header, required, crate::schema::text(), about)
    }

    /// Takes a JSON body.
    pub(crate) fn json_body(self, schema: Schema) -> Self {
        self.takes(&["application/json"], true, schema)
    }

    /// Takes a form or JSON.
    pub(crate) fn fields(self, schema: Schema) -> Self {
        let types = &["application/json", "application/x-www-form-urlencoded"];
        self.takes(types, false, schema)
    }

    /// Takes a body.
    pub(crate) fn takes(
        mut self,
        content_types: &'static [&'static str],
        is_required: bool,
        schema: Schema,
    ) -> Self {
        self.body = Some(Body {
            content_types,
            is_required,
            schema,
        });
        self.fails(&[Code::InvalidRequest, Code::UnsupportedMediaType])
    }

    /// Answers JSON.
    pub(crate) fn json(self, status: u16, about: &'static str, schema: Schema) -> Self {
        self.answers(status, about, Some("application/json"), Some(schema), &[])
    }

    /// Answers nothing but the status.
    pub(crate) fn empty(self, status: u16, about: &'static str) -> Self {
        self.answers(status, about, None, None, &[])
    }

    /// Answers.
    pub(crate) fn answers(
        mut self,
        status: u16,
        about: &'static str,
        content_type: Option<&'static str>,
        schema: Option<Schema>,
        headers: &'static [&'static str],
    ) -> Self {
        self.answers.push(Answer {
            status,
            about,
            content_type,
            schema,
            headers,
        });
        self
    }

    /// Takes several segments for its last parameter.
    pub(crate) const fn rest(mut self) -> Self {
        self.rest = true;
        self
    }

    /// May show a person what failed.
    pub(crate) const fn or_page(mut self) -> Self {
        self.has_error_page = true;
        self
    }

    /// Is no address of the API itself.
    pub(crate) const fn page(mut self) -> Self {
        self.is_page = true;
        self
    }

    /// May fail with these.
    pub(crate) fn fails(mut self, codes: &[Code]) -> Self {
        self.codes.extend_from_slice(codes);
        let all = std::mem::take(&mut self.codes);
        self.codes = Code::ALL
            .iter()
            .filter(|code| all.contains(code))
            .copied()
            .collect();
        self
    }

    /// Whether `path`, without `/api` in front, is an address of this operation.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let mut given = path.split('/');
        let mut wanted = self.path.split('/').peekable();
        while let Some(segment) = wanted.next() {
            let Some(other) = given.next() else {
                return false;
            };
            let is_parameter = segment.starts_with('{');
            if (!is_parameter && segment != other) || (is_parameter && other.is_empty()) {
                return false;
            }
            if is_parameter && self.rest && wanted.peek().is_none() {
                return true;
            }
        }
        given.next().is_none()
    }

    /// How exactly its address is written: of two that fit, the one with the higher is meant.
    #[must_use]
    pub fn exactness(&self) -> (bool, usize) {
        let literal = self.path.split('/').filter(|s| !s.starts_with('{'));
        (!self.rest, literal.count())
    }
}
