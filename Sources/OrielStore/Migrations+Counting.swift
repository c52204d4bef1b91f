extension Migrations {
  /// What large accounts would otherwise be read whole for: judgements counted by month and verdict (and all of them, under
  /// domain 0), in lists of their own by verdict and state, and deliveries by account. And numbers of accounts and domains
  /// are not given twice, as what was said of those that are gone is kept.
  static let counting = """
    CREATE TABLE judgement_months (
      domain_id INTEGER NOT NULL,
      month TEXT NOT NULL,
      verdict TEXT NOT NULL,
      count INTEGER NOT NULL,
      PRIMARY KEY (domain_id, month, verdict)
    ) WITHOUT ROWID;
    INSERT INTO judgement_months
      SELECT domain_id, strftime('%Y-%m', first_seen / 1000, 'unixepoch'), verdict, count(*) FROM judgements
      GROUP BY 1, 2, 3;
    INSERT INTO judgement_months SELECT 0, '', verdict, sum(count) FROM judgement_months GROUP BY verdict;
    CREATE TRIGGER judgements_added AFTER INSERT ON judgements BEGIN
      INSERT INTO judgement_months (domain_id, month, verdict, count)
        VALUES (NEW.domain_id, strftime('%Y-%m', NEW.first_seen / 1000, 'unixepoch'), NEW.verdict, 1)
        ON CONFLICT (domain_id, month, verdict) DO UPDATE SET count = count + 1;
      INSERT INTO judgement_months (domain_id, month, verdict, count) VALUES (0, '', NEW.verdict, 1)
        ON CONFLICT (domain_id, month, verdict) DO UPDATE SET count = count + 1;
    END;
    CREATE TRIGGER judgements_changed AFTER UPDATE OF verdict ON judgements WHEN NEW.verdict <> OLD.verdict BEGIN
      UPDATE judgement_months SET count = count - 1 WHERE verdict = OLD.verdict AND (domain_id, month) IN
        (VALUES (0, ''), (OLD.domain_id, strftime('%Y-%m', OLD.first_seen / 1000, 'unixepoch')));
      INSERT INTO judgement_months (domain_id, month, verdict, count)
        VALUES (NEW.domain_id, strftime('%Y-%m', NEW.first_seen / 1000, 'unixepoch'), NEW.verdict, 1)
        ON CONFLICT (domain_id, month, verdict) DO UPDATE SET count = count + 1;
      INSERT INTO judgement_months (domain_id, month, verdict, count) VALUES (0, '', NEW.verdict, 1)
        ON CONFLICT (domain_id, month, verdict) DO UPDATE SET count = count + 1;
    END;
    CREATE TRIGGER judgements_removed AFTER DELETE ON judgements BEGIN
      UPDATE judgement_months SET count = count - 1 WHERE verdict = OLD.verdict AND (domain_id, month) IN
        (VALUES (0, ''), (OLD.domain_id, strftime('%Y-%m', OLD.first_seen / 1000, 'unixepoch')));
    END;

    DROP INDEX judgements_open;
    CREATE INDEX judgements_by_domain_and_verdict ON judgements (domain_id, verdict, state, first_seen, issuance);
    CREATE INDEX judgements_by_account_and_verdict
      ON judgements (account_id, verdict, state, first_seen, issuance, domain_id);
    CREATE INDEX judgements_new ON judgements (verdict, domain_id, issuance) WHERE state = 'new';
    CREATE INDEX domains_by_account ON domains (account_id, is_on);

    ALTER TABLE deliveries ADD COLUMN account_id INTEGER;
    UPDATE deliveries SET account_id =
      (SELECT account_id FROM domains WHERE id = CAST(substr(deliveries.recipient, 8) AS INTEGER))
      WHERE recipient LIKE 'domain:%';
    CREATE INDEX deliveries_by_account ON deliveries (account_id, id) WHERE account_id IS NOT NULL;
    CREATE TRIGGER deliveries_added AFTER INSERT ON deliveries WHEN NEW.recipient LIKE 'domain:%' BEGIN
      UPDATE deliveries SET account_id =
        (SELECT account_id FROM domains WHERE id = CAST(substr(NEW.recipient, 8) AS INTEGER)) WHERE id = NEW.id;
    END;

    INSERT INTO generations (name, value) SELECT 'account', coalesce(max(id), 0) FROM accounts;
    INSERT INTO generations (name, value) SELECT 'domain', coalesce(max(id), 0) FROM domains;
    CREATE TRIGGER accounts_removed AFTER DELETE ON accounts BEGIN
      UPDATE generations SET value = max(value, OLD.id) WHERE name = 'account';
    END;
    CREATE TRIGGER domains_removed AFTER DELETE ON domains BEGIN
      UPDATE generations SET value = max(value, OLD.id) WHERE name = 'domain';
      DELETE FROM judgement_months WHERE domain_id = OLD.id;
    END;
    """
}
