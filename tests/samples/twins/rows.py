"""Handing out rows costs what it costs without what is done with them."""

import time


def work(seconds):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        sum(range(50))


class Frame:
    """Stands in for a data frame; making a row takes `cost_s`."""

    def __init__(self, rows, cost_s):
        self.rows, self.cost_s = rows, cost_s

    def iterrows(self):
        for index in range(self.rows):
            work(self.cost_s)
            yield index, {"a": index}

    def apply(self, function, axis):
        return [function(row) for _, row in self.iterrows()]


def dear_rows(df):
    total = 0
    for _, row in df.iterrows():  # costly: dataframe-iterrows
        total += row["a"]
    return total


def dear_bodies(df):
    for _, _row in df.iterrows():  # harmless: dataframe-iterrows
        work(0.01)


def dear_function(df):
    return df.apply(lambda row: work(0.01), axis=1)  # open: dataframe-iterrows


def dear_frame(df):
    return df.apply(lambda row: row["a"], axis=1)  # costly: dataframe-iterrows


dear_rows(Frame(2000, 0.0003))
dear_frame(Frame(2000, 0.0003))
dear_bodies(Frame(100, 0.00001))
dear_function(Frame(100, 0.00001))


class Indexed:
    """Stands in for the rows of a frame by position."""

    def __init__(self, cost_s):
        self.cost_s = cost_s

    def __getitem__(self, index):
        work(self.cost_s)
        return {"a": 1}

    def __setitem__(self, index, value):
        work(self.cost_s)


class Positions:
    def __init__(self, rows, cost_s):
        self.shape = (rows, 1)
        self.iloc = Indexed(cost_s)


def dear_positions(df):
    return [df.iloc[number]["a"] for number in range(df.shape[0])]  # costly: dataframe-iterrows


def dear_stores(df):
    for number in range(df.shape[0]):
        df.iloc[number] = 1  # costly: dataframe-iterrows


def dear_values(df):
    for number in range(df.shape[0]):
        df.iloc[number] = work(0.01)  # harmless: dataframe-iterrows
        work(0.01)


dear_positions(Positions(1500, 0.0004))
dear_stores(Positions(1500, 0.0004))
dear_values(Positions(60, 0.000001))
