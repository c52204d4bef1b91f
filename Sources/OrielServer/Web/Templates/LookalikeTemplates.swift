let lookalikesTemplate = """
  {{<layout}}{{$main}}{{>domain-head}}
  <h2>Names that imitate it</h2>
  {{^areSought}}<p class="card note">Look-alikes of this domain are not looked for. {{#member.mayWrite}}<a href="/domains/{{domainID}}/settings">Settings</a>{{/member.mayWrite}}</p>{{/areSought}}
  <p>Certificates that were logged for names of other people’s which look like this one: with letters that pass for others, slips of the keyboard, added words, or another suffix. None of them is for your domain, so nothing is judged here; many are harmless. Look at them without visiting them.</p>
  {{#hasLookalikes}}
  <p class="soft">{{lookalikeWords}}</p>
  <ul class="list">{{#imitations}}<li>
  <div class="line"><span class="badge {{ratingBadge}}">{{ratingWords}}</span> <small>{{rating}} of 100</small><small class="end">first seen <span class="date">{{since}}</span>, last <span class="date">{{seen}}</span></small></div>
  <a class="names" href="/issuances/{{issuance}}"><bdi>{{imitation}}</bdi></a>{{#looks}} <small>shown as</small> <bdi>{{looks}}</bdi>{{/looks}}
  <div><bdi>{{how}}</bdi></div>
  <div class="soft">Registered as <bdi>{{registered}}</bdi>; {{certificateCount}}, the last from <bdi>{{issuer}}</bdi>, <span class="date">{{from}}</span> to <span class="date">{{to}}</span>. <a href="/issuances/{{issuance}}/action?lookalike={{lookalikeID}}">What to do about it</a></div>
  {{#member.mayWrite}}<details><summary>Mute it</summary><form method="post" action="/domains/{{domainID}}/mutes">{{>code}}{{>guard}}<input type="hidden" name="name" value="{{registered}}"><label for="until-{{lookalikeID}}">Until</label><input id="until-{{lookalikeID}}" name="until" type="date" required><button class="quiet">Mute</button></form></details>{{/member.mayWrite}}
  </li>{{/imitations}}</ul>
  {{#nextPage}}<p><a rel="next" href="{{nextPage}}">Older ones</a></p>{{/nextPage}}
  {{/hasLookalikes}}
  {{^hasLookalikes}}<p>None has been seen.</p>{{/hasLookalikes}}
  {{/main}}{{/layout}}
  """

let lookalikeSettingsTemplate = """
  {{#lookalikes}}{{#isPossible}}
  <h2>Look-alikes</h2>
  {{#areSought}}<p>On: certificates for names that imitate this domain are <a href="/domains/{{domainID}}/lookalikes">listed</a>, and told of once for each name that somebody has registered.</p>{{/areSought}}
  {{^areSought}}<p>Off: names that imitate this domain are not looked for.</p>{{/areSought}}
  {{^isConfig}}{{#member.mayWrite}}
  <form method="post" action="/domains/{{domainID}}/lookalikes">{{>code}}<input type="hidden" name="on" value="{{#areSought}}no{{/areSought}}{{^areSought}}yes{{/areSought}}">
  {{#areSought}}<button class="quiet">Turn off</button>{{/areSought}}{{^areSought}}<button>Turn on</button>{{/areSought}}</form>
  {{#areSought}}<form method="post" action="/domains/{{domainID}}/lookalikes">{{>code}}<input type="hidden" name="on" value="yes">
  <label for="lookalike-time">When to tell</label><select id="lookalike-time" name="time">{{#lookalikeTimes}}<option value="{{value}}"{{#isChosen}} selected{{/isChosen}}>{{words}}</option>{{/lookalikeTimes}}</select> <button class="quiet">Save</button></form>{{/areSought}}
  {{/member.mayWrite}}{{/isConfig}}
  {{/isPossible}}{{/lookalikes}}

  """
