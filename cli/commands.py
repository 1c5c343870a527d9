"""Which commands there are, and what the help of each says; imports none of them."""

from typing import NamedTuple


class Command(NamedTuple):
    """One command, as its help tells of it.

    Attributes:
        line: What it does, in one sentence, for the list of commands.
        more: A few sentences that a user wants to know before the first time.
        examples: Command lines that can be typed as they are, with names of one's own.
        target: Module and function, where they are not named as the command is.
    """

    line: str
    more: str
    examples: tuple[str, ...]
    target: str = ""

    @property
    def help(self) -> str:
        """All of it, in the order in which it is read."""
        return "\n\n".join((self.line, self.more, "\n".join(f"Example: {example}" for example in self.examples)))


COMMANDS = {
    "demo": Command(
        "Tune a small network on handwritten digits, to see what pegbox does.",
        "Needs no file and no network, and takes a minute or two. The same command again shows the answer. The study "
        "file that it runs is written by `pegbox init demo`.",
        ("pegbox demo", "pegbox demo --store /tmp/demo"),
    ),
    "init": Command(
        "Write a study file to begin with, and its JSON Schema for the editor.",
        "The study runs as it is written. Of a table it looks at the columns and decides on task, metric, split, what "
        "is left out, model and budget, each with its reason as a comment. `init function` begins with a function of "
        "yours, `init command` with any program that prints its metrics, `init demo` with the study of `pegbox demo`. "
        "Nothing that is there is replaced without --force.",
        (
            "pegbox init",
            "pegbox init data.csv --target churn --time 10m",
            "pegbox init function --directory my-study",
        ),
    ),
    "auto": Command(
        "Tune a model for a table, in one command.",
        "Writes the study file that `pegbox init` writes, named after the file and the target, and runs it; the model "
        "is trained on all rows that are not held out. The same command again goes on with that file, or shows the "
        "answer.",
        ("pegbox auto data.csv --target churn", "pegbox auto data.csv --target churn --time 1h"),
    ),
    "validate": Command(
        "Check a study file, its data and its import paths.",
        "Says of everything that is wrong where it stands and what to do. Trains nothing and writes nothing.",
        ("pegbox validate study.yaml",),
    ),
    "convert": Command(
        "Make a study file of another tool's.",
        "Takes sweeps of W&B, Katib experiments and Hydra configurations; from a Python file spaces of Ray Tune and "
        "Hyperopt, Optuna objectives (run with a probing trial) and searches of scikit-learn. What could not be taken "
        "over stands in a comment where it belongs.",
        ("pegbox convert sweep.yaml --output study.yaml", "pegbox convert search.py:objective"),
    ),
    "schema": Command(
        "Print the JSON Schema of the study file, for editors.",
        "An editor that knows it completes and explains the keys of a study file while you type.",
        ("pegbox schema --output study.schema.json",),
    ),
    "run": Command(
        "Run a study, or go on with it.",
        "The same command again resumes the study, or extends it where its budget was raised. Ctrl-C lets running "
        "trials finish, a second one stops at once; either way the same command goes on later.",
        ("pegbox run study.yaml",),
    ),
    "resume": Command(
        "Go on with a study from its history.",
        "No study file is needed. A larger budget, more workers, a wider or a narrower space keep the history; trials "
        "that a narrower space does not hold stay recorded and no longer compete.",
        ("pegbox resume digits --set budget.trials=100",),
    ),
    "retry": Command(
        "Give failed trials a further attempt.",
        "Mend the cause first, in the code or with --set. Goes on with the study afterwards.",
        ("pegbox retry digits", "pegbox retry digits --trial 7 --set run.timeout=1h"),
    ),
    "stop": Command(
        "Stop a study that runs in another terminal.",
        "Once lets running trials finish, twice stops at once; `pegbox resume` goes on later.",
        ("pegbox stop digits",),
    ),
    "rename": Command(
        "Give a study another name.",
        "All that was recorded goes along: trials, answer, checkpoints. The old name is free; a study file that goes "
        "on with the study needs the new one.",
        ("pegbox rename digits digits-wide",),
    ),
    "note": Command(
        "Note something about a study or a trial, or give it a tag.",
        "Each note is one event of the history: the page, `pegbox sql` (views notes and trial_tags) and copies of the "
        "store show it. Without a text and a tag it shows what was noted. A study that runs goes on.",
        (
            'pegbox note digits:35 "diverges late" --tag check',
            "pegbox note digits --tag published",
            "pegbox note digits",
        ),
    ),
    "forget": Command(
        "Show a study nowhere any more, and make its name free.",
        "Nothing is deleted: `pegbox restore` takes the study back, until `pegbox store gc` frees the space.",
        ("pegbox forget digits",),
    ),
    "restore": Command(
        "Take back a study that was forgotten.",
        "The one of that name that was forgotten last. Without a name the forgotten studies are listed.",
        ("pegbox restore", "pegbox restore digits"),
    ),
    "ls": Command(
        "List the studies of a store.",
        "The one that was active last comes first. Reads while studies run, and disturbs none.",
        ("pegbox ls", "pegbox ls --store /data/tuning --json"),
    ),
    "status": Command(
        "Show how a study stands.",
        "Its budget, the best so far, what its workers do. Reads while the study runs.",
        ("pegbox status", "pegbox status digits --json"),
    ),
    "watch": Command(
        "Follow a study that runs, until it ends.",
        "Ctrl-C stops watching, not the study.",
        ("pegbox watch digits",),
    ),
    "best": Command(
        "Show what to run, and how sure that is.",
        "The winner's configuration, its value with an interval from fresh seeds, its test metrics and its checkpoint; "
        "before there is a winner, the best that the search has seen. With --format the configuration alone, to be "
        "pasted: `pegbox best --format args | xargs python train.py`. Ends with 3 where no trial can be named.",
        ("pegbox best", "pegbox best digits --format yaml", "pegbox best digits --format args"),
    ),
    "predict": Command(
        "Predict with the model of a study.",
        "ROWS is a CSV or Parquet file, an SQL query over files, or - for what is piped in. Columns are found by name, "
        "in any order; those that are missing, or hold something else than in training, are told. Reads and writes in "
        "pieces, so that millions of rows need no more memory than a few.",
        (
            "pegbox predict churn new.csv --out predictions.parquet",
            "pegbox predict churn@current \"FROM 'new/*.parquet'\" --keep customer --out predictions.csv",
            "head -100 new.csv | pegbox predict churn -",
        ),
    ),
    "models": Command(
        "List the models of studies with their standing.",
        "current is the promoted one, former was promoted before, latest is the newest of its study. Of one study the "
        "card of the newest follows: what it gets wrong on rows that it did not learn from, how far its probabilities "
        "hold, and which columns it lives by. The view `models` tells more.",
        ("pegbox models", "pegbox models churn --json"),
    ),
    "promote": Command(
        "Make one model the one that STUDY@current names.",
        "In one step: who reads at that moment reads the former or the new one, and who has it open keeps it. The "
        "former is kept, and --back promotes it again. A schedule promotes by itself.",
        ("pegbox promote churn", "pegbox promote churn@9666a7278496", "pegbox promote churn --back"),
    ),
    "export-model": Command(
        "Write the model of a study for another library: ONNX, torch or scikit-learn.",
        "The file holds the preprocessing too, and needs no pegbox. It is asked about the study's validation rows, and "
        "kept only where it answers as the model does; a JSON file beside it says what each column holds.",
        (
            "pegbox export-model churn --format onnx",
            "pegbox export-model churn@current --format torch --out churn.pt2",
            "pegbox export-model churn.pegbox --format sklearn --rows churn.csv",
        ),
        "export_model:export_model",
    ),
    "explain": Command(
        "Show which hyperparameters matter, what they do, and what to do next.",
        "Each share of importance comes with an interval, each parameter with how far it may be moved from the best, "
        "each advice with its evidence and the way to follow it. With --cache and a trial: where its result came from, "
        "what the code that trained it was made of, and what of that is otherwise now.",
        ("pegbox explain digits", "pegbox explain digits 3 --cache"),
    ),
    "compare": Command(
        "Show where two trials or studies differ, which is better, and how sure that is.",
        "Numbers are trials of one study, names are the answers of two studies.",
        ("pegbox compare 3 17 --study digits", "pegbox compare digits digits-wide"),
    ),
    "sql": Command(
        "Ask the history with SQL.",
        "One query that reads, in a sandbox with limits of time and memory, while studies run. Without a query a "
        "terminal gets a prompt with a history, where Tab completes tables, views, macros, columns and studies; "
        "elsewhere the query is read from stdin.",
        (
            "pegbox sql",
            "pegbox sql \"FROM marginal('digits', 'lr')\"",
            "pegbox sql --file weekly.sql --format csv --output weekly.csv",
        ),
    ),
    "track": Command(
        "Show a study in MLflow or TensorBoard, from its history.",
        "A run for each trial with its parameters, curve, final metrics and failure, and the answer. With "
        "`run: {track: [mlflow]}` in the study file it is shown while it runs. Once more, it adds what is new.",
        ("pegbox track digits tensorboard", "pegbox track digits mlflow --to http://localhost:5000"),
    ),
    "report": Command(
        "Write the answer of a study and its charts as one HTML file.",
        "It opens in any browser, without a network, and may be sent by mail. With `--compare` it opens with studies "
        "beside each other: what differs, answers, progress, importance.",
        ("pegbox report digits --out digits.html", "pegbox report digits --compare digits-sgd"),
    ),
    "ui": Command(
        "Show the studies of a store in the browser, live.",
        "With a console for SQL. Ctrl-C ends it, and no study notices.",
        ("pegbox ui --open", "pegbox ui --host 0.0.0.0 --port 8080"),
    ),
    "schedule": Command(
        "Have a study look after itself by the clock.",
        "Each run looks at the data first: unchanged data ends in seconds, changed data has the incumbent trained "
        "again, and only where it no longer holds a new study is tuned.",
        (
            'pegbox schedule study.yaml --cron "0 3 * * 1"',
            "pegbox schedule study.yaml --pool gpu --watchdog",
            "pegbox schedule --list",
        ),
    ),
    "import": Command(
        "Take over a study of Optuna or Hyperopt.",
        "SOURCE is an Optuna database URL, SQLite file or journal file, or a file with the documents of a Hyperopt "
        "Trials object, as pickle or JSON. The study can be asked, explained and compared like one that was run here; "
        "its training cannot be run. A pickle is read without running code of it.",
        (
            "pegbox import optuna.db --study digits",
            "pegbox import trials.pkl --name forest --space study.yaml",
        ),
        "import_study:import_study",
    ),
    "merge": Command(
        "Bring the history of another store into this one.",
        "Journals and models are copied, checkpoints stay where they are; a study whose name is taken here gets the "
        "label of its store. Both stores may be in use, and to merge again brings what is new. Studies that came so "
        "are asked and compared like those that ran here, and are driven where they came from.",
        ("pegbox merge ../anna/.pegbox", "pegbox merge /mnt/lab/store --as lab"),
    ),
    "export": Command(
        "Write a study as Parquet files, into an Optuna storage, or into a database that others read.",
        "Parquet gets trials.parquet, with a column for each parameter, and metrics.parquet. From an Optuna storage "
        "optuna-dashboard and Optuna's own plots can show the study. A database gets the tables studies, trials and "
        "metrics in the schema pegbox; the rows of a study that is exported again are replaced.",
        (
            "pegbox export digits --parquet out",
            "pegbox export digits --optuna optuna.db",
            "pegbox export --all --to postgres://host/team",
        ),
    ),
    "replay": Command(
        "Make every decision of a study again from its history, and report differences.",
        "Ends with 1 where a decision comes out differently, as after an update of a library.",
        ("pegbox replay digits",),
    ),
    "store": Command(
        "Verify a store, rebuild it from its journals, or free space.",
        "The journals are the truth; the database can be made again from them at any time.",
        ("pegbox store verify", "pegbox store gc --dry-run"),
    ),
    "doctor": Command(
        "Check versions, the Prefect server, the store, the disk and the devices.",
        "Says of everything that would stop a study how to mend it; changes nothing.",
        ("pegbox doctor",),
    ),
}
"""In the order in which a user meets them; their modules are imported when they are called."""


def target(name: str) -> str:
    """Where a command is, as `module:name`."""
    return f"pegbox.cli.{COMMANDS[name].target or f'{name}:{name}'}"
