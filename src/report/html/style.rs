//! The one style sheet of the page, and the policy that allows it by its digest and nothing else.
//!
//! System fonts; light, dark and print; pictures are recoloured by attribute selector. Not here: colours of data (`palette`).

use std::fmt::Write as _;

use super::palette::ALL;
use crate::base::digest::sha256_base64;

/// The policy: no script, no image, no font, no request; this style sheet only.
pub fn policy(sheet: &str) -> String {
    let digest = sha256_base64(sheet.as_bytes());
    format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
}

/// The style sheet.
pub fn sheet() -> String {
    let mut sheet = String::from(LAYOUT);
    sheet.push_str("@media screen and (prefers-color-scheme:dark){");
    sheet.push_str(DARK);
    for (colour, _, dark) in ALL {
        let light = colour.hex();
        let _ = write!(sheet, "svg [fill=\"{light}\"]{{fill:{dark}}}svg [stroke=\"{light}\"]{{stroke:{dark}}}");
    }
    sheet.push('}');
    sheet.push_str(PRINT);
    sheet
}

const LAYOUT: &str = "
:root{color-scheme:light dark;--ink:#1B2430;--mute:#5B6673;--rule:#E1E5EA;--paper:#FFFFFF;--wash:#F6F7F9;--pass:#007A59;--warn:#8F5F00;--fail:#B84A00;--inconclusive:#5B6673;--invalid:#8E3F6E;--link:#005F94}
*{box-sizing:border-box}
body{margin:0 auto;padding:0 32px;max-width:1120px;background:var(--paper);color:var(--ink);font:16px/1.55 -apple-system,'Segoe UI',Inter,Roboto,'Helvetica Neue',Arial,system-ui,sans-serif;-webkit-font-smoothing:antialiased;text-rendering:optimizeLegibility}
svg{display:block;width:100%;height:auto;font-family:inherit}
svg text{font-family:inherit}
.strip{padding:72px 0 40px}
.verdict{display:flex;flex-wrap:wrap;align-items:center;gap:0 12px;margin:0 0 20px;font-size:17px}
.verdict strong{font-weight:650}
.verdict .title{color:var(--mute)}
.verdict .title::before{content:'·';margin-right:12px;color:var(--mute)}
.pass .verdict strong,.pass .mark span{color:var(--pass)}.warn .verdict strong,.warn .mark span{color:var(--warn)}.fail .verdict strong,.fail .mark span{color:var(--fail)}.inconclusive .verdict strong,.inconclusive .mark span{color:var(--inconclusive)}.invalid .verdict strong,.invalid .mark span{color:var(--invalid)}
svg.big{width:28px;flex:none}svg.small{width:18px;flex:none}
h1{margin:0;max-width:32em;font-size:31px;line-height:1.3;font-weight:600;letter-spacing:-.016em;text-wrap:pretty;overflow-wrap:anywhere}
.demands{margin:16px 0 0;max-width:52em;color:var(--mute);font-size:17px;overflow-wrap:anywhere}
dl{margin:0}dt{color:var(--mute)}dd{margin:0}
.facts{display:flex;flex-wrap:wrap;gap:16px 40px;margin-top:36px;padding-top:20px;border-top:1px solid var(--rule);font-size:14px;font-variant-numeric:tabular-nums}
.facts dt{font-size:12.5px}.facts dd{font-weight:550}
section{margin:0 0 72px}
h2{margin:0 0 20px;font-size:22px;line-height:1.3;font-weight:600;letter-spacing:-.012em}
.lead{margin:0 0 20px;max-width:46em;color:var(--mute)}
figure{margin:0 0 48px}
figcaption{margin:0 0 18px;max-width:46em;font-size:17px;line-height:1.5;text-wrap:balance;overflow-wrap:anywhere}
.picture{overflow-x:auto}
.picture svg{min-width:760px}
details{margin-top:10px}
summary{display:inline-block;cursor:pointer;color:var(--mute);font-size:14px;padding:4px 0}
summary::before{content:'+';display:inline-block;width:1.1em}details[open]>summary::before{content:'–'}
summary::-webkit-details-marker{display:none}
summary:hover{color:var(--ink)}
:focus-visible{outline:2px solid var(--link);outline-offset:3px;border-radius:2px}
.numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:24px 32px;margin:0 0 56px;padding:28px 0;border-top:1px solid var(--rule);border-bottom:1px solid var(--rule)}
.numbers dd{font-size:30px;line-height:1.2;font-weight:600;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.numbers dt{margin-top:4px;font-size:14px;line-height:1.4}
.checks{list-style:none;margin:0;padding:0;border-top:1px solid var(--rule)}
.checks li{display:grid;grid-template-columns:128px minmax(0,1fr) 180px 210px;gap:4px 24px;align-items:start;padding:16px 0;border-bottom:1px solid var(--rule)}
.checks p{margin:0;overflow-wrap:anywhere}
.mark{display:flex;align-items:center;gap:9px;font-size:14.5px;font-weight:600;line-height:26px}
.id,.expected{color:var(--mute);font-size:13px}
.next{padding-top:5px;font-size:14.5px;max-width:44em}
.observed{font-weight:600;font-variant-numeric:tabular-nums}
code{font:.92em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace;overflow-wrap:anywhere}
.standouts{margin:0;padding-left:1.4em;max-width:52em;font-size:17px}.standouts li{padding:5px 0}.standouts li::marker{color:var(--mute);font-size:14px}
a{color:var(--link);text-underline-offset:3px}.standouts a{font-size:14.5px;white-space:nowrap}
.wide{overflow-x:auto;margin:0 0 40px}
details .wide{margin:8px 0 16px}
table{border-collapse:collapse;width:100%;font-size:14px;line-height:1.45;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:0 0 10px;font-size:15px;font-weight:600}
th,td{padding:7px 20px 7px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule);font-weight:400}
th:last-child,td:last-child{padding-right:0}
thead th{color:var(--mute);font-size:13px;white-space:nowrap}
tbody th{min-width:8.5em;max-width:26em;overflow-wrap:anywhere}
.note{margin:-28px 0 40px;color:var(--mute);font-size:13px}svg.spark{width:132px;height:16px}.course{width:140px}
.n{text-align:right;white-space:nowrap}
.method{font-size:14.5px}
.method div{display:grid;grid-template-columns:140px minmax(0,1fr);gap:0 24px;padding:9px 0;border-bottom:1px solid var(--rule)}
.method dd{max-width:52em;overflow-wrap:anywhere}
footer{padding:0 0 56px;color:var(--mute);font-size:13px}
@media (max-width:820px){.verdict .title{flex-basis:100%}.verdict .title::before{display:none}body{padding:0 18px}.strip{padding:36px 0 28px}h1{font-size:24px}.checks li{grid-template-columns:minmax(0,1fr)}.whisker{max-width:200px}.facts{gap:14px 28px}.method div{grid-template-columns:minmax(0,1fr)}section{margin-bottom:52px}}
@media (prefers-reduced-motion:no-preference){summary{transition:color .15s}}
";

const DARK: &str = ":root{--ink:#E8ECF1;--mute:#9DA9B6;--rule:#29313B;--paper:#14181E;--wash:#1A1F27;--pass:#3CCFA4;--warn:#F1B445;--fail:#F59058;--inconclusive:#9DA9B6;--invalid:#E0A1C6;--link:#86CCF4}";

const PRINT: &str = "
@media print{:root{color-scheme:light}body{max-width:none;padding:0;font-size:10.5pt}.strip{padding:0 0 20pt}h1{font-size:19pt}section{break-before:page;margin:0}#drill,#checks{break-before:auto}figure,tr,.checks li{break-inside:avoid}h2{break-after:avoid}summary,figure details{display:none}details::details-content{content-visibility:visible;display:block;height:auto}.picture svg{min-width:0}.wide,.picture{overflow:visible}table{font-size:8.5pt}th,td{padding-top:3pt;padding-bottom:3pt}}
";
