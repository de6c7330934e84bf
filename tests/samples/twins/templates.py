"""A fresh environment has to compile its templates anew: the constructor itself takes next to nothing."""

import time

import jinja2

TEMPLATE = "<ul>{% for x in xs %}<li>{{ x|upper }}</li>{% endfor %}</ul>" * 4
LOADER = jinja2.DictLoader({"list": TEMPLATE, "word": "{{ x }}"})


def compiled_anew():
    environment = jinja2.Environment()  # costly: costly-constructor-per-call
    return environment.from_string(TEMPLATE).render(xs=["a"])


def looked_up_anew():
    return jinja2.Environment(loader=LOADER).get_template("list").render(xs=["a"])  # costly: costly-constructor-per-call


def handed_on():
    environment = jinja2.Environment(loader=LOADER)  # open: costly-constructor-per-call
    return render(environment, "list")


def render(environment, name):
    return environment.get_template(name).render(xs=["a"])


def of_a_text_of_its_own(number):
    environment = jinja2.Environment()  # harmless: costly-constructor-per-call
    return environment.from_string("{{ x }} %d" % number).render(x=1)


def work(seconds):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        sum(range(500))


for number in range(250):
    compiled_anew()
    looked_up_anew()
    handed_on()
for number in range(5):
    of_a_text_of_its_own(number)
work(1.0)
