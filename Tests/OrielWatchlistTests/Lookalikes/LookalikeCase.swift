import OrielWatchlist

/// A watched domain, names that imitate it in a known way, and neighbours that do not.
struct LookalikeCase {
  let watched: String
  let name: String
  /// Nil where the name is none of it.
  let reason: Lookalike.Reason?

  static let all: [LookalikeCase] = table.flatMap { watched, rows in
    rows.flatMap { reason, names in
      names.split(separator: " ").map { LookalikeCase(watched: watched, name: String($0), reason: reason) }
    }
  }

  private static let table: [(String, [(Lookalike.Reason?, String)])] = [
    (
      "paypal.com",
      [
        (.confusable, "paypa1.com PAYPA1.COM paypa1.com. www.paypa1.com payp4l.com paypa1.evil.com"),
        (.confusable, "pаypal.com раураӏ.com ρaypal.com páypal.com paypa1-login.net раураl-login.com"),
        (.swapped, "papyal.com apypal.com paypla.com"), (.missing, "paypl.com pypal.com aypal.com"),
        (.doubled, "paypaal.com payppal.com ppaypal.com paypall.com"), (.near, "paypai.com pavpal.com oaypal.com"),
        (.added, "paypals.com pay-pal.com"), (.replaced, "paypel.com"),
        (.suffix, "paypal.net paypal.co.uk www.paypal.org"),
        (.bait, "paypal-login.com login-paypal.net paypal-secure-account.com securepaypal.com paypalsupport.info"),
        (.bait, "paypal-login.evil.com"), (.words, "mypaypal.com paypal24.com 24paypal.org north-paypal.de"),
        (.embedded, "paypal.com.evil.ru login.paypal.com.verify.example *.paypal.com.evil.ru"),
        (.label, "paypal.evil.com www.paypal.evil.co.uk"),
        (nil, "paypal.com www.paypal.com *.paypal.com paper.com payroll.com payday.com paypalooza.com repaypalm.com"),
        (nil, "pay.pal.com com.paypal example.com pal.com paypal login.com *.com xn--paypal-.evil"),
      ]
    ),
    (
      "microsoft.com",
      [
        (.confusable, "rnicrosoft.com micr0s0ft.com micro5oft.net"), (.near, "m1crosoft.com"),
        (.swapped, "mircosoft.com"), (.missing, "microsft.com micosoft.com"), (.doubled, "microsofft.com"),
        (.bait, "microsoft-update.net update.microsoft-support.com"), (.words, "microsoftonline.com microsoft365.com"),
        (nil, "microscope.com microchip.com softmicro.com microsoft.com outlook.com"),
      ]
    ),
    (
      "google.com",
      [
        (.confusable, "g00gle.com goog1e.com gооgle.com goog1e-login.com"), (.missing, "gogle.com"),
        (.doubled, "gooogle.com"), (.swapped, "googel.com"), (.suffix, "google.de"), (.words, "google-drive.com"),
        (.embedded, "accounts.google.com.evil.tk"), (nil, "goggles.com eagle.com googology.wiki mail.google.com"),
      ]
    ),
    (
      "apple.de",
      [
        (.confusable, "app1e.de xn--80ak6aa92e.com"), (.suffix, "apple.com"), (.doubled, "applle.de"),
        (.swapped, "aplpe.de"), (.near, "appie.de"), (.bait, "apple-login.com apple-id-support.com"),
        (.label, "apple.evil.com"),
        (nil, "apply.de ample.de apples.de pineapple.de applebees.com apple-tree.de snapple.com maple.de"),
      ]
    ),
    (
      "shop.example",
      [
        (.confusable, "sh0p.example ѕhop.example"), (.suffix, "shop.com"), (.embedded, "shop.example.evil.com"),
        (.bait, "shop-login.example"), (.words, "myshop.example"),
        (nil, "shops.example ship.example chop.example shop.evil.com secure-shop.com shop-login.com workshop.example"),
      ]
    ),
    ("ing.de", [(.suffix, "ing.com"), (nil, "inn.de ping.de ring.de ing.evil.com lng.de ing-shop.com being.de")]),
    (
      "bücher.example",
      [(.confusable, "bucher.example bùcher.example"), (.suffix, "bücher.com"), (nil, "becherovka.com buch.example")]
    ),
    (
      "amazon.co.uk",
      [
        (.confusable, "amaz0n.co.uk arnazon.co.uk"), (.suffix, "amazon.com"), (.near, "amazom.co.uk"),
        (.missing, "amzon.org.uk"), (.embedded, "amazon.co.uk.evil.co.uk"), (.words, "amazon-prime.co.uk"),
        (nil, "amazing.co.uk co.uk amazonas.com.br www.amazon.co.uk www.ama.co.uk"),
      ]
    ),
    ("dropbox.com", [(.confusable, "clropbox.com dropb0x.com"), (nil, "drops.com boxdrop.com")]),
    ("my-shop.example", [(.bait, "my-shop-login.com secure-my-shop.net"), (nil, "my-shopping.com my.shop.com")]),
  ]
}
