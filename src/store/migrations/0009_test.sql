-- A flow that was tried with the documented sample: no precedent of anything, and open beside what is meant.
ALTER TABLE actions ADD COLUMN test INTEGER NOT NULL DEFAULT 0;
DROP INDEX actions_open;
CREATE UNIQUE INDEX actions_open ON actions (flow, login, test) WHERE outcome = 'pending';
DROP INDEX actions_open_target;
CREATE UNIQUE INDEX actions_open_target ON actions (flow, target, test)
    WHERE outcome = 'pending' AND target IS NOT NULL;
